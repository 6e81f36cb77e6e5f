/** @file Where a DySample samples: each of its points for one picture, where it starts and where it is. */

import { ShapeError, type Tensor } from "@gridgrad/core";

import type { Fpn4 } from "../toy/fpn4.ts";
import type { DySample } from "../upsamplers/dysample.ts";

/** Positions are in pixels of the upsampler's input, whose pixel (h, w) has its centre at x = w + 0.5, y = h + 0.5. */
export interface SamplingPoint {
  readonly group: number;
  /** Row and column of the pixel. */
  readonly h: number;
  readonly w: number;
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
}

export interface SamplingPoints {
  readonly points: readonly SamplingPoint[];
  /** Of the distances between start and point, in pixels of the input. */
  readonly meanMove: number;
  /** The 95th percentile of the same. */
  readonly largeMove: number;
}

/**
 * The points for one picture's features.
 *
 * @param x - `[1, C, H, W]`, as the layer sees it.
 * @throws {ShapeError} when `x` is of more than one picture, or of other channels.
 */
export async function samplingPoints(up: DySample, x: Tensor): Promise<SamplingPoints> {
  if (x.shape[0] !== 1) {
    throw new ShapeError("samplingPoints", "x must be of one picture, [1, C, H, W]", { x: x.shape });
  }
  const offsets = up.offsets(x);
  const [, channels, H, W] = offsets.shape;
  const half = channels / 2; // x of all points, then y
  const moved = await offsets.data();
  const start = await up.init_pos.tensor.data();
  const points: SamplingPoint[] = [];
  for (let c = 0; c < half; c++) {
    for (let h = 0; h < H; h++) {
      for (let w = 0; w < W; w++) {
        const at = (channel: number) => moved[(channel * H + h) * W + w];
        points.push({
          group: Math.floor(c / up.scale ** 2),
          h,
          w,
          from: [w + 0.5 + start[c], h + 0.5 + start[c + half]],
          to: [w + 0.5 + at(c), h + 0.5 + at(c + half)],
        });
      }
    }
  }
  const moves = points.map(({ from, to }) => Math.hypot(to[0] - from[0], to[1] - from[1])).sort((a, b) => a - b);
  return {
    points,
    meanMove: moves.reduce((total, move) => total + move, 0) / moves.length,
    largeMove: moves[Math.ceil(0.95 * moves.length) - 1],
  };
}

/** What the last upsampler of a network sees, in evaluation, where the network sees `image`. */
export function inputOfLast(model: Fpn4, image: Tensor): Tensor {
  const up = model.up2;
  const forward = up.forward.bind(up);
  let seen: Tensor | undefined;
  up.forward = (x, guide) => {
    seen = x;
    return forward(x, guide);
  };
  try {
    model.eval().forward(image);
  } finally {
    delete (up as Partial<typeof up>).forward; // which uncovers the method of its class
  }
  return seen!;
}
