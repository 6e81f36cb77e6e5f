/** @file A picture as bytes, as it comes from a file and goes to one. */

/** Pixels row by row, the channels of a pixel together: `data[(y * width + x) * channels + c]`. */
export interface Picture {
  width: number;
  height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Alpha is not premultiplied. */
  channels: 1 | 2 | 3 | 4;
  /** 8-bit samples in a Uint8Array, 16-bit samples in a Uint16Array. */
  data: Uint8Array | Uint16Array;
}
