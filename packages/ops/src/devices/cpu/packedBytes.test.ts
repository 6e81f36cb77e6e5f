import { gzipSync } from "node:zlib";

import fc from "fast-check";
import { expect, test } from "vitest";

import { packedModule } from "./module.generated.ts";
import { packBytes, unpackBytes } from "./packedBytes.ts";

test("unpack undoes pack, for any bytes", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  expect(unpackBytes(packBytes(all))).toEqual(all);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      expect(unpackBytes(packBytes(bytes))).toEqual(bytes);
    }),
  );
});

test("the text needs no escapes, in JSON or in a page", () => {
  const text = packBytes(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  expect(text).toMatch(/^[ -~]*$/);
  expect(text).not.toMatch(/["'`\\$<]/);
});

test("the kernels are as small under gzip as their bytes are, and a good deal smaller than as base64", () => {
  const bytes = unpackBytes(packedModule);
  const gzipped = (data: string | Uint8Array): number => gzipSync(data, { level: 9 }).length;
  expect(packedModule.length / bytes.length).toBeLessThan(1.1);
  expect(gzipped(packedModule) / gzipped(bytes)).toBeLessThan(1.05);
  expect(gzipped(packedModule) / gzipped(Buffer.from(bytes).toString("base64"))).toBeLessThan(0.75);
});
