/** @file How to run the golden cases of the upsamplers: the module with the case's tensors as its parameters. */

import type { Tensor } from "@gridgrad/core";
import type { GoldenAttrs, GoldenRuns } from "@gridgrad/core/testing";
import { functionalCall } from "@gridgrad/nn";

import { Carafe } from "../upsamplers/carafe.ts";
import { DySample } from "../upsamplers/dysample.ts";
import { Fade } from "../upsamplers/fade.ts";
import { SapaB } from "../upsamplers/sapaB.ts";

export const dysampleRuns: GoldenRuns = {
  dysample({ x, ...parameters }, attrs) {
    attrs.repeats("in_channels", x.shape[1]);
    const module = new DySample(x.shape[1], {
      scale: attrs.number("scale"),
      style: attrs.word("style", ["lp", "pl"]),
      groups: attrs.number("groups"),
      dyscope: attrs.boolean("dyscope"),
    });
    return functionalCall(module, parameters, () => module.forward(x));
  },

  carafe_upsampler({ x, ...parameters }, attrs) {
    const module = new Carafe(x.shape[1], {
      scale: attrs.number("scale"),
      kernelSize: attrs.number("kernel_size"),
      upGroups: attrs.number("up_groups"),
      compressedChannels: attrs.number("compressed_channels"),
      encoderKernel: attrs.number("encoder_kernel"),
    });
    return functionalCall(module, parameters, () => module.forward(x));
  },

  fade({ x, guide, ...parameters }, attrs) {
    const module = new Fade(x.shape[1], guided(guide, attrs));
    return functionalCall(module, parameters, () => module.forward(x, guide));
  },

  sapa_b({ x, guide, ...parameters }, attrs) {
    const module = new SapaB(x.shape[1], guided(guide, attrs));
    return functionalCall(module, parameters, () => module.forward(x, guide));
  },
};

/** Options of the modules that take a guide. */
function guided(guide: Tensor, attrs: GoldenAttrs) {
  return {
    scale: attrs.number("scale"),
    kernelSize: attrs.number("kernel_size"),
    embeddingDim: attrs.number("embedding_dim"),
    guideChannels: guide.shape[1],
  };
}
