/** @file Makes the device known: `setDevice("cpu")`. */

import { registerDevice } from "@gridgrad/core";

import { CpuDevice } from "./cpuDevice.ts";

registerDevice("cpu", () => new CpuDevice());
