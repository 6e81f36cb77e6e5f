/**
 * @file In front of every test file: makes the devices known that core's tests run on and core itself does not know, and gives the file a
 * device of its own. Files share a process, and a device that one of them has closed, or changed, must not meet the next one.
 */
import "../packages/ops/src/index.ts";

import { type Device, setDevice } from "../packages/core/src/index.ts";
import { afterAll, beforeAll } from "vitest";

let device: Device;

beforeAll(() => {
  device = setDevice("cpu"); // what graphs run on by themselves; opens with the first of them
});

afterAll(() => device.close());
