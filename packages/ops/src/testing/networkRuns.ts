/**
 * @file How to run the golden cases of norms, activations, losses and linear: PyTorch's operation and argument names to our calls.
 */

import { softmax } from "@gridgrad/core";
import { type GoldenAttrs, type GoldenRuns, optionalInput } from "@gridgrad/core/testing/golden";

import { batchNorm2d } from "../ops/batchNorm2d.ts";
import { bceWithLogits } from "../ops/bceWithLogits.ts";
import { crossEntropy } from "../ops/crossEntropy.ts";
import { gelu } from "../ops/gelu.ts";
import { groupNorm } from "../ops/groupNorm.ts";
import { l1Loss } from "../ops/l1Loss.ts";
import { layerNorm } from "../ops/layerNorm.ts";
import { linear } from "../ops/linear.ts";
import type { Reduction } from "../ops/lossReduction.ts";
import { logSoftmax } from "../ops/logSoftmax.ts";
import { mseLoss } from "../ops/mseLoss.ts";
import { silu } from "../ops/silu.ts";
import { smoothL1Loss } from "../ops/smoothL1Loss.ts";

export const networkRuns: GoldenRuns = {
  /** In evaluation the running statistics stay as they are, and a case has none after it. */
  batch_norm2d(inputs, attrs) {
    const { x, running_mean, running_var } = inputs;
    const training = attrs.boolean("training");
    const { y, runningMean, runningVar } = batchNorm2d(x, running_mean, running_var, {
      weight: optionalInput(inputs, "weight"),
      bias: optionalInput(inputs, "bias"),
      training,
      momentum: attrs.number("momentum"),
      eps: attrs.number("eps"),
    });
    return training ? { out: y, running_mean_after: runningMean, running_var_after: runningVar } : y;
  },

  group_norm: (inputs, attrs) =>
    groupNorm(inputs.x, attrs.number("num_groups"), {
      weight: optionalInput(inputs, "weight"),
      bias: optionalInput(inputs, "bias"),
      eps: attrs.number("eps"),
    }),

  layer_norm: (inputs, attrs) =>
    layerNorm(inputs.x, attrs.numbers("normalized_shape"), {
      weight: optionalInput(inputs, "weight"),
      bias: optionalInput(inputs, "bias"),
      eps: attrs.number("eps"),
    }),

  gelu: ({ x }, attrs) => gelu(x, { approximate: attrs.word("approximate", ["none", "tanh"]) }),

  silu: ({ x }) => silu(x),

  softmax: ({ x }, attrs) => softmax(x, attrs.number("dim")),

  log_softmax: ({ x }, attrs) => logSoftmax(x, attrs.number("dim")),

  cross_entropy(inputs, attrs) {
    attrs.repeats("has_weight", "weight" in inputs);
    return crossEntropy(inputs.x, inputs.target, {
      weight: optionalInput(inputs, "weight"),
      ignoreIndex: attrs.number("ignore_index", undefined),
      labelSmoothing: attrs.number("label_smoothing", undefined),
      reduction: reductionOf(attrs),
    });
  },

  bce_with_logits(inputs, attrs) {
    attrs.repeats("has_weight", "weight" in inputs);
    attrs.repeats("has_pos_weight", "pos_weight" in inputs);
    return bceWithLogits(inputs.x, inputs.target, {
      weight: optionalInput(inputs, "weight"),
      posWeight: optionalInput(inputs, "pos_weight"),
      reduction: reductionOf(attrs),
    });
  },

  mse_loss: ({ x, target }, attrs) => mseLoss(x, target, { reduction: reductionOf(attrs) }),

  l1_loss: ({ x, target }, attrs) => l1Loss(x, target, { reduction: reductionOf(attrs) }),

  smooth_l1_loss: ({ x, target }, attrs) =>
    smoothL1Loss(x, target, { beta: attrs.number("beta"), reduction: reductionOf(attrs) }),

  linear: (inputs) => linear(inputs.x, inputs.weight, optionalInput(inputs, "bias")),
};

function reductionOf(attrs: GoldenAttrs): Reduction {
  return attrs.word("reduction", ["none", "mean", "sum"]);
}
