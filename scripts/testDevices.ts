/**
 * @file Before all tests: which devices this machine has, for the tests that run on each of them.
 *
 * GRIDGRAD_TEST_DEVICES names devices that must be there, such as `gpu:cpu,gpu:webasm` (`none` for the loops alone). Unset, it is `cpu` in the
 * quick tier; in the larger ones those that need nothing run, and the others if they are there.
 */
import "../packages/ops/src/index.ts";

import { openDevice } from "../packages/core/src/index.ts";
import type { TestDevice } from "../packages/core/src/testing/devices.ts";
import { parseTier } from "../packages/core/src/testing/tier.ts";
import type { GpuDevice } from "../packages/ops/src/index.ts";
import type { TestProject } from "vitest/node";

export async function setup(project: TestProject): Promise<void> {
  const named = process.env["GRIDGRAD_TEST_DEVICES"];
  const all = ["cpu", "gpu:cpu", "gpu:webasm", "gpu:headlessgl", "gpu:webgpu"];
  const quick = parseTier(process.env["GRIDGRAD_TEST_TIER"]) === "quick";
  const names = named === "none" ? [] : (named?.split(",") ?? (quick ? ["cpu"] : all));
  const devices: TestDevice[] = [];
  for (const name of names) {
    const device = openDevice(name) as GpuDevice;
    try {
      await device.ready();
      devices.push({ name, missing: null });
    } catch (error) {
      if (named) throw new Error(`GRIDGRAD_TEST_DEVICES names ${name}, which is not there`, { cause: error });
      devices.push({
        name,
        missing: `${(error as Error).message.replace(`${name}: `, "")}; \`npm run setup:gpu\` installs it`,
      });
    }
    await device.close();
  }
  project.provide("devices", devices);
}
