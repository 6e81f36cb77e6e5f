/** @file How to run the golden cases of DySample: the module with the case's tensors as its parameters. */

import { functionalCall } from "@gridgrad/nn";
import type { GoldenRuns } from "@gridgrad/core/testing";

import { DySample } from "../upsamplers/dysample.ts";

export const dysampleRuns: GoldenRuns = {
  dysample({ x, ...parameters }, { in_channels, ...options }) {
    const module = new DySample(in_channels as number, options);
    return functionalCall(module, parameters, () => module.forward(x));
  },
};
