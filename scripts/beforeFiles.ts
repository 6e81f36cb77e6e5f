/**
 * @file In front of every test file: makes the devices known that core's tests run on and core itself does not know, and gives the file
 * what it would have in a process of its own, a device and the repository as its folder. Files share a process, and a device that one of them
 * has closed, or a folder that is gone, must not meet the next one.
 */
import "../packages/ops/src/index.ts";

import { afterAll, beforeAll, inject } from "vitest";

import { type Device, setDevice } from "../packages/core/src/index.ts";
import { closeDevices } from "../packages/core/src/testing/devices.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder of the repository, in Node. */
    root: string;
  }
}

const root = inject("root");
let device: Device;

beforeAll(() => {
  if (root !== undefined) process.chdir(root);
  device = setDevice("cpu"); // what graphs run on by themselves; opens with the first of them
});

afterAll(async () => {
  await device.close();
  if (root !== undefined) await closeDevices(); // a page keeps one of each kind: a browser loses the oldest contexts where there are many
});
