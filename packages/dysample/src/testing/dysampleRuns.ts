/** @file How to run the golden cases of the upsamplers: the module with the case's tensors as its parameters. */

import type { Tensor } from "@gridgrad/core";
import type { GoldenRuns } from "@gridgrad/core/testing";
import { functionalCall } from "@gridgrad/nn";

import { Carafe } from "../upsamplers/carafe.ts";
import { DySample } from "../upsamplers/dysample.ts";
import { Fade } from "../upsamplers/fade.ts";
import { SapaB } from "../upsamplers/sapaB.ts";
import type { Upsampler } from "../upsamplers/upsampler.ts";

type Maker = new (inChannels: number, options: object) => Upsampler;

/**
 * Runs a case whose module follows from the shapes of its input and guide and from its attributes, which are called as in Python:
 * kernel_size for kernelSize.
 */
function of(kind: Maker): GoldenRuns[string] {
  return ({ x, guide, ...parameters }: Readonly<Record<string, Tensor>>, attrs) => {
    const options = Object.entries(attrs).map(([name, value]) => [camelCase(name), value]);
    const module = new kind(x.shape[1], { ...Object.fromEntries(options), guideChannels: guide?.shape[1] });
    return functionalCall(module, parameters, () => module.forward(x, guide));
  };
}

export const dysampleRuns: GoldenRuns = {
  dysample({ x, ...parameters }, { in_channels, ...options }) {
    const module = new DySample(in_channels as number, options);
    return functionalCall(module, parameters, () => module.forward(x));
  },
  carafe_upsampler: of(Carafe),
  fade: of(Fade),
  sapa_b: of(SapaB),
};

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
