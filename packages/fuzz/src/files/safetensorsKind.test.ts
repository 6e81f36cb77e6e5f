import { decodeSafetensors, SafetensorsError, type SafetensorsFile } from "@gridgrad/core";
import { expect, test } from "vitest";

import { runCampaign } from "../campaign.ts";
import { safetensorsKind } from "./safetensorsKind.ts";

async function find(decode: (bytes: Uint8Array) => SafetensorsFile, cases: number) {
  const { findings } = await runCampaign([safetensorsKind({ decode })], { seed: 1, cases });
  return Object.fromEntries(findings.map(({ fault, input }) => [fault, input]));
}

test("the reader is beyond reproach", async () => {
  expect(await find(decodeSafetensors, 1000)).toEqual({});
});

test("a reader that takes one thing too many is found, by the smallest file", async () => {
  const lenient = (bytes: Uint8Array): SafetensorsFile => {
    try {
      return decodeSafetensors(bytes);
    } catch (error) {
      const [, more] = (error as Error).message.match(/must end with the last tensor, got (\d+) bytes/) ?? [];
      if (more === undefined) throw error;
      return decodeSafetensors(bytes.slice(0, -Number(more)));
    }
  };
  const found = await find(lenient, 600);
  expect(Object.keys(found)).toEqual(["a broken file is taken (it has bytes after the last tensor)"]);
  expect(Object.values(found)[0]).toMatch(/^\d\d bytes: /);
});

test("a reader that refuses what is valid is found", async () => {
  const strict = (bytes: Uint8Array): SafetensorsFile => {
    const file = decodeSafetensors(bytes);
    if (Object.keys(file.tensors).includes(""))
      throw new SafetensorsError("safetensors: a tensor must have a name, got none");
    return file;
  };
  expect(Object.keys(await find(strict, 600))).toEqual(["a valid file is refused"]);
});

test("a reader that loses a tensor, or a bit of one, is found", async () => {
  const careless = (bytes: Uint8Array): SafetensorsFile => {
    const { tensors, metadata } = decodeSafetensors(bytes);
    const kept: Record<string, (typeof tensors)[string]> = {};
    for (const [name, entry] of Object.entries(tensors)) kept[name] = entry; // which makes no entry of __proto__
    return { tensors: kept, metadata };
  };
  const found = await find(careless, 600);
  expect(Object.keys(found)).toEqual(["a file is read wrongly"]);
  expect(found["a file is read wrongly"]).toContain("__proto__");

  const rounding = (bytes: Uint8Array): SafetensorsFile => {
    const file = decodeSafetensors(bytes);
    for (const { values } of Object.values(file.tensors))
      if (values instanceof Float64Array) values.set(values.map(Math.fround));
    return file;
  };
  expect(Object.keys(await find(rounding, 600))).toEqual(["a file is read wrongly"]);
});

test("messages of any length, and of none, are found", async () => {
  const wordy = (bytes: Uint8Array): SafetensorsFile => {
    throw new SafetensorsError(bytes.length > 100 ? "too many bytes; ".repeat(100) : "");
  };
  expect(Object.keys(await find(wordy, 100)).sort()).toEqual([
    "the message has more than 1000 characters",
    "the message says nothing",
  ]);
});

test("errors of another kind, and messages that no terminal should show, are found", async () => {
  const hasty = (bytes: Uint8Array): SafetensorsFile => {
    if (bytes.length < 8) throw new RangeError("offset is out of bounds");
    try {
      return decodeSafetensors(bytes);
    } catch {
      throw new SafetensorsError(`no safetensors file: ${Buffer.from(bytes).toString("latin1")}`);
    }
  };
  expect(Object.keys(await find(hasty, 600)).sort()).toEqual([
    "the message has control characters",
    "the message has several lines",
    "the reader throws a RangeError",
  ]);
});
