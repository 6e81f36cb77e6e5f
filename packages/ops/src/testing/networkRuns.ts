/**
 * @file How to run the golden cases of norms, activations, losses and linear: PyTorch's operation and argument names to our calls.
 */

import type { GoldenRuns } from "@gridgrad/core/testing";

import { batchNorm2d } from "../ops/batchNorm2d.ts";
import { bceWithLogits } from "../ops/bceWithLogits.ts";
import { crossEntropy } from "../ops/crossEntropy.ts";
import { gelu } from "../ops/gelu.ts";
import { groupNorm } from "../ops/groupNorm.ts";
import { l1Loss } from "../ops/l1Loss.ts";
import { layerNorm } from "../ops/layerNorm.ts";
import { linear } from "../ops/linear.ts";
import { logSoftmax } from "../ops/logSoftmax.ts";
import { mseLoss } from "../ops/mseLoss.ts";
import { silu } from "../ops/silu.ts";
import { smoothL1Loss } from "../ops/smoothL1Loss.ts";
import { softmax } from "../ops/softmax.ts";

export const networkRuns: GoldenRuns = {
  batch_norm2d({ x, running_mean, running_var, weight, bias }, { training, momentum, eps }) {
    const { y, runningMean, runningVar } = batchNorm2d(x, running_mean, running_var, {
      weight,
      bias,
      training,
      momentum,
      eps,
    });
    return { out: y, running_mean_after: runningMean, running_var_after: runningVar };
  },

  group_norm: ({ x, weight, bias }, { num_groups, eps }) => groupNorm(x, num_groups, { weight, bias, eps }),

  layer_norm: ({ x, weight, bias }, { normalized_shape, eps }) => layerNorm(x, normalized_shape, { weight, bias, eps }),

  gelu: ({ x }, { approximate }) => gelu(x, { approximate }),

  silu: ({ x }) => silu(x),

  softmax: ({ x }, { dim }) => softmax(x, dim),

  log_softmax: ({ x }, { dim }) => logSoftmax(x, dim),

  cross_entropy: ({ x, target, weight }, { ignore_index, label_smoothing, reduction }) =>
    crossEntropy(x, target, { weight, ignoreIndex: ignore_index, labelSmoothing: label_smoothing, reduction }),

  bce_with_logits: ({ x, target, weight, pos_weight }, { reduction }) =>
    bceWithLogits(x, target, { weight, posWeight: pos_weight, reduction }),

  mse_loss: ({ x, target }, { reduction }) => mseLoss(x, target, { reduction }),

  l1_loss: ({ x, target }, { reduction }) => l1Loss(x, target, { reduction }),

  smooth_l1_loss: ({ x, target }, { beta, reduction }) => smoothL1Loss(x, target, { beta, reduction }),

  linear: ({ x, weight, bias }) => linear(x, weight, bias),
};
