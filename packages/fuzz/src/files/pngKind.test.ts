import type { Picture } from "@gridgrad/dysample";
import { decodePng } from "@gridgrad/dysample/node";
import { expect, test } from "vitest";

import { runCampaign } from "../campaign.ts";
import { checksum } from "./pngChunks.ts";
import { pngKind } from "./pngKind.ts";

async function find(decode: (bytes: Uint8Array) => Picture, cases: number) {
  const { findings } = await runCampaign([pngKind({ decode })], { seed: 1, cases });
  return Object.fromEntries(findings.map(({ fault, input }) => [fault, input]));
}

test("the reader is beyond reproach", async () => {
  expect(await find(decodePng, 500)).toEqual({});
});

test("a reader that passes over checksums is found, by a file of one pixel", async () => {
  const lenient = (bytes: Uint8Array): Picture => {
    const repaired = Buffer.from(bytes);
    for (let at = 8; at + 12 <= bytes.length;) {
      const end = at + 8 + repaired.readUInt32BE(at);
      if (end + 4 > bytes.length) break;
      repaired.writeUInt32BE(checksum(repaired.subarray(at + 4, end)), end);
      at = end + 4;
    }
    return decodePng(repaired);
  };
  const found = await find(lenient, 400);
  expect(Object.keys(found)).toEqual(["a broken file is taken (it has the wrong checksum of a critical chunk)"]);
  expect(Object.values(found)[0]).toMatch(/^1\d\d bytes: 89504e470d0a1a0a0000000d494844520000000100000001/);
});

test("a reader that is off by one in a sample of 16 bits is found", async () => {
  const careless = (bytes: Uint8Array): Picture => {
    const picture = decodePng(bytes);
    if (picture.data instanceof Uint16Array) picture.data[picture.data.length - 1] ^= 1;
    return picture;
  };
  expect(Object.keys(await find(careless, 100))).toContain("a picture is read wrongly");
});

test("a reader that fails by accident, or takes memory without end, is found", async () => {
  const hasty = (bytes: Uint8Array): Picture => {
    if (bytes.length > 5000) kept.push(new ArrayBuffer(2 ** 23));
    if (bytes[25] === 4) throw new TypeError("Cannot read properties of undefined");
    try {
      if (bytes[25] === 2) (undefined as unknown as Picture).data.at(0);
      return decodePng(bytes);
    } catch (cause) {
      throw new Error("readPng: the picture must be an undamaged PNG file, but something is undefined", { cause });
    }
  };
  const kept: ArrayBuffer[] = [];
  const faults = Object.keys(await find(hasty, 3000));
  expect(faults).toContain("the reader throws a TypeError");
  expect(faults).toContain("a file is refused by accident");
  expect(faults).toContain("a small picture takes much memory");
});
