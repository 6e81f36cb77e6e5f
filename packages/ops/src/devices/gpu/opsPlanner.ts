/**
 * @file What gpu devices give to the ops that they ask for plans: core's planner, and the plans of gridSample's kernels. The ops know its type
 * only, so a program without such a device carries neither.
 */

import { type GpuPlanner, gpuPlanner } from "@gridgrad/core";

import * as gridSampling from "../../ops/gridSampleKernels.ts";

export interface OpsPlanner extends GpuPlanner {
  /** Devices of other packages may have core's planner alone: there the ops that sample run their loops. */
  readonly gridSampling?: typeof gridSampling;
}

export const opsPlanner: OpsPlanner = { ...gpuPlanner, gridSampling };
