/** @file The time that a device takes once per kernel and not once per step. */

import { getDevice } from "@gridgrad/core";
import { GpuDevice } from "@gridgrad/ops";

/** Time that the current device has spent on compiling kernels so far, ms. Differences of it are taken out of what is timed. */
export function compileMs(): number {
  const device = getDevice();
  return device instanceof GpuDevice ? device.compileMs : 0;
}
