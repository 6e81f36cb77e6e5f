/** @file PNG files, valid and damaged: taken and refused as a second reader does, with the same pixels. */

import type { Picture } from "@gridgrad/dysample";
import { decodePng, encodePng } from "@gridgrad/dysample/node";

import { checkRefusal } from "../checkRefusal.ts";
import { type Kind, Wrong } from "../kind.ts";
import { drawPng, showPng } from "./drawPng.ts";
import { judgePng } from "./judgePng.ts";

/** Memory that a picture may take beyond that of its samples, in bytes: buffers of zlib and the like, but not what a bomb inflates to. */
const mostMemory = 2 ** 22;

/** At most, for each pixel that the header names: four samples of 16 bits, each of them a dozen times while the stream's end is looked for. */
const perPixel = 12 * 8;

/** At most, for each byte of the file: Deflate makes 1032 of it, in a stream that is joined from parts, as samples, and as a picture. */
const perByte = 4 * 1032;

export interface PngOptions {
  /** The reader that is tried. */
  readonly decode?: (bytes: Uint8Array) => Picture;
}

export function pngKind({ decode = decodePng }: PngOptions = {}): Kind {
  return {
    name: "png",
    unit: "files",
    share: 2,

    check(draw) {
      const { bytes, bomb } = drawPng(draw);
      const input = showPng(bytes);
      const truth = judgePng(bytes);
      const before = bomb ? process.memoryUsage().arrayBuffers : 0;
      let picture: Picture;
      try {
        picture = decode(bytes);
      } catch (error) {
        const { message } = error as Error;
        if (!message.startsWith("readPng: "))
          throw new Wrong(`the reader throws a ${(error as Error).name}`, message, input);
        if (isAccident(error)) throw new Wrong("a file is refused by accident", message, input);
        checkRefusal("the message", message, input);
        if (truth.verdict === "taken") throw new Wrong("a valid file is refused", message, input);
        return;
      } finally {
        const taken = bomb ? process.memoryUsage().arrayBuffers - before : 0;
        if (taken > mostMemory + Math.min(perPixel * pixelsOf(bytes), perByte * bytes.length))
          throw new Wrong("a small picture takes much memory", `${taken} bytes`, input); // eslint-disable-line no-unsafe-finally -- it matters more than what else is wrong
      }
      if (truth.verdict === "refused")
        throw new Wrong(`a broken file is taken (it has ${truth.why})`, truth.why, input);
      const why = truth.verdict === "either" ? ` (the file has ${truth.why})` : "";
      if (truth.pictures !== "any" && !truth.pictures.some((wanted) => isSame(picture, wanted))) {
        const message = `${show(picture)} where it shows ${truth.pictures.map(show).join(" or ")}`;
        throw new Wrong(`a picture is read wrongly${why}`, message, input);
      }
      const again = judgePng(encodePng(picture));
      if (again.verdict !== "taken" || !isSame(again.pictures[0], picture)) {
        throw new Wrong("a picture is not written as it was read", show(picture), input);
      }
    },
  };
}

/** Of the header, 0 where it is cut off. */
function pixelsOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length < 24 ? 0 : view.getUint32(16) * view.getUint32(20);
}

/** Whether an error came from a mistake of the reader's, which it has taken for one of the file's. */
function isAccident(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof TypeError) return true;
  return false;
}

function isSame(a: Picture, b: Picture): boolean {
  const type = a.data instanceof Uint16Array === b.data instanceof Uint16Array;
  return type && a.width === b.width && a.height === b.height && String(a.data) === String(b.data);
}

function show({ width, height, channels, data }: Picture): string {
  const values = data.length > 24 ? `${data.subarray(0, 24).join(" ")} ..` : data.join(" ");
  return `${width} x ${height}, ${channels} channels: ${values}`;
}
