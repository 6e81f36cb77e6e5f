/** @file safetensors files, valid and damaged: taken and refused as a second reader does, with the same contents. */

import { decodeSafetensors, encodeSafetensors, SafetensorsError, type SafetensorsFile } from "@gridgrad/core";

import { checkPrototypes, checkRefusal } from "../checkRefusal.ts";
import { type Kind, Wrong } from "../kind.ts";
import { drawSafetensors } from "./drawSafetensors.ts";
import { type Contents, judgeSafetensors } from "./judgeSafetensors.ts";

export interface SafetensorsOptions {
  /** The reader that is tried. */
  readonly decode?: (bytes: Uint8Array) => SafetensorsFile;
}

export function safetensorsKind({ decode = decodeSafetensors }: SafetensorsOptions = {}): Kind {
  return {
    name: "safetensors",
    unit: "files",
    share: 1,

    check(draw) {
      const bytes = drawSafetensors(draw);
      const input = showBytes(bytes);
      const truth = judgeSafetensors(bytes);
      let file: SafetensorsFile;
      try {
        file = decode(bytes);
      } catch (error) {
        if (!(error instanceof SafetensorsError)) {
          const { name, message } = error as Error;
          throw new Wrong(`the reader throws a ${name}`, message, input);
        }
        checkRefusal("the message", error.message, input);
        if (truth.verdict === "taken") throw new Wrong("a valid file is refused", error.message, input);
        return;
      } finally {
        checkPrototypes("reading", input);
      }
      if (truth.verdict === "refused")
        throw new Wrong(`a broken file is taken (it has ${truth.why})`, truth.why, input);
      const difference = differenceOf(file, truth.contents);
      if (difference !== null) throw new Wrong("a file is read wrongly", difference, input);
      const again = differenceOf(decodeSafetensors(encodeSafetensors(file.tensors, file.metadata)), truth.contents);
      if (again !== null) throw new Wrong("a file is not written as it was read", again, input);
    },
  };
}

function differenceOf({ tensors, metadata }: SafetensorsFile, wanted: Contents): string | null {
  const names = Object.keys(tensors);
  if (names.length !== wanted.tensors.size) return `${names.length} tensors, not ${wanted.tensors.size}`;
  for (const [name, { dtype, shape, bytes }] of wanted.tensors) {
    if (!Object.hasOwn(tensors, name)) return `no tensor ${JSON.stringify(name)}`;
    const got = tensors[name];
    if (got.dtype !== dtype || String(got.shape) !== String(shape)) {
      return `${JSON.stringify(name)} is ${got.dtype} [${got.shape.join(", ")}], not ${dtype} [${shape.join(", ")}]`;
    }
    const own = new Uint8Array(got.values.buffer, got.values.byteOffset, got.values.byteLength);
    if (Buffer.compare(own, bytes) !== 0) return `${JSON.stringify(name)} has other values`;
  }
  const keys = Object.keys(metadata);
  if (keys.length !== wanted.metadata.size) return `${keys.length} metadata, not ${wanted.metadata.size}`;
  for (const [key, text] of wanted.metadata) {
    if (!Object.hasOwn(metadata, key) || metadata[key] !== text) return `metadata ${JSON.stringify(key)} are others`;
  }
  return null;
}

/** The bytes as text where they are text, for people. */
function showBytes(bytes: Uint8Array): string {
  return `${bytes.length} bytes: ${JSON.stringify(Buffer.from(bytes).toString("latin1"))}`;
}
