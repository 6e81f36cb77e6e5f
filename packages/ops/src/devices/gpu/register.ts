/** @file Makes the device known: `setDevice("gpu")`, `setDevice("gpu:webasm")` and so on. */

import { registerDevice } from "@gridgrad/core";

import { gpuBackends } from "./gpuBackends.ts";
import { GpuDevice } from "./gpuDevice.ts";

registerDevice("gpu", () => new GpuDevice("gpu"));
for (const backend of gpuBackends) registerDevice(`gpu:${backend}`, () => new GpuDevice(backend));
