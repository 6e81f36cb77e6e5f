/**
 * @file What composes the steps of GPU plans. A device that runs kernels gives it to the ops that it asks for plans, so that a program
 * without such a device does not carry it.
 */

import { elementwisePlan, elementwiseStep, gather } from "./elementwiseStep.ts";
import { place } from "./place.ts";
import { powerSteps } from "./powerSteps.ts";
import { reduceAxes, sumInParts } from "./reduction.ts";

export const gpuPlanner = {
  elementwisePlan,
  elementwiseStep,
  gather,
  place,
  powerSteps,
  reduceAxes,
  sumInParts,
} as const;

export type GpuPlanner = typeof gpuPlanner;
