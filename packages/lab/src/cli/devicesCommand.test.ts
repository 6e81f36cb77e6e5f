import { expect, test } from "vitest";

import { deviceNames } from "@gridgrad/core";

import { runCommand } from "../testing/runCommand.ts";

test("every device has a line that says what it runs on, or what it lacks", async () => {
  const { code, out, err } = await runCommand("devices");
  expect([code, err]).toEqual([0, ""]);
  const lines = Object.fromEntries(out.split("\n").map((line) => line.split(/ {2,}/)));
  expect(Object.keys(lines)).toEqual(deviceNames());
  expect(lines).toMatchObject({
    reference: "the plain loops of each op, in float32 and float64",
    gpu: expect.stringMatching(/^gpu\.js \w+ on /),
    "gpu:webasm": "gpu.js webasm on the CPU as WebAssembly",
    "gpu:webgl2": "missing: needs a browser; in Node use gpu:webgpu, gpu:headlessgl or gpu:webasm",
  });
});

test("as JSON, every device says what it runs on, or what it lacks", async () => {
  const { code, out, err } = await runCommand("devices", "--json");
  expect([code, err]).toEqual([0, ""]);
  const { devices } = JSON.parse(out) as { devices: { name: string }[] };
  expect(devices.map(({ name }) => name)).toEqual(deviceNames());
  expect(devices).toContainEqual({
    name: "reference",
    available: true,
    description: "the plain loops of each op, in float32 and float64",
  });
  expect(devices).toContainEqual({
    name: "gpu:webgl2",
    available: false,
    description: "needs a browser; in Node use gpu:webgpu, gpu:headlessgl or gpu:webasm",
  });
});
