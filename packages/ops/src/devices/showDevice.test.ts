import { inspect } from "node:util";

import { deviceNames, openDevice } from "@gridgrad/core";
import { expect, test } from "vitest";

import "../index.ts";

test.each(deviceNames())("%s shows itself in a line, and is not opened by it", async (name) => {
  const device = openDevice(name);
  expect(inspect(device)).toBe(`Device(${name}, no buffers)`);
  await device.close();
});

test("a device tells what it holds", async () => {
  const device = openDevice("cpu");
  await device.upload(new Float32Array(512));
  expect(String(device)).toBe("Device(cpu, 1 buffer of 2.0 KB)");
  await device.upload(new Float32Array(512));
  expect(String(device)).toBe("Device(cpu, 2 buffers of 4.0 KB)");
  await device.close();
});
