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
