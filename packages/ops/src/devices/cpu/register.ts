/** @file Makes the device known, `setDevice("cpu")`, and the one that graphs run on. */

import { registerDevice } from "@gridgrad/core";

import { CpuDevice } from "./cpuDevice.ts";

registerDevice("cpu", () => new CpuDevice(), { isDefault: true });
