/**
 * @file How to run the golden cases of optimisers and schedules: PyTorch's operation and argument names to our classes.
 *
 * A case of an optimiser has two parameters, `a` and `b`, and their gradients at every step. The loss Σ a ga + Σ b gb has
 * exactly these gradients, so the classes take the steps that a training loop takes.
 */

import { add, mul, reshape, slice, stack, sum, type Tensor, tensor } from "@gridgrad/core";
import type { GoldenRuns } from "@gridgrad/core/testing";

import { Adam, AdamW, clipGradNorm, type Optimizer, SGD } from "../optimizer.ts";
import { cosineLr, type Schedule, stepLr } from "../schedule.ts";
import { Parameter } from "../slot.ts";

type Inputs = Readonly<Record<string, Tensor>>;

export const optimizerRuns: GoldenRuns = {
  adam: (inputs, { lr, betas, eps, weight_decay }) =>
    takeSteps(inputs, (parameters) => new Adam(parameters, { lr, betas, eps, weightDecay: weight_decay })),

  adamw: (inputs, { lr, betas, eps, weight_decay }) =>
    takeSteps(inputs, (parameters) => new AdamW(parameters, { lr, betas, eps, weightDecay: weight_decay })),

  sgd: (inputs, { lr, momentum, dampening, nesterov, weight_decay }) =>
    takeSteps(
      inputs,
      (parameters) => new SGD(parameters, { lr, momentum, dampening, nesterov, weightDecay: weight_decay }),
    ),

  clip_grad_norm({ grad_a, grad_b }, { max_norm }) {
    const { gradients, norm } = clipGradNorm([grad_a, grad_b], max_norm as number);
    return { a: gradients[0], b: gradients[1], total_norm: norm };
  },

  cosine_lr: (_inputs, { lr, T_max, eta_min }) => rates(cosineLr({ lr, steps: T_max, minLr: eta_min }), T_max + 1),

  step_lr: (_inputs, { lr, step_size, gamma, steps }) => rates(stepLr({ lr, stepSize: step_size, gamma }), steps),
};

/** The parameters' values after each step. */
async function takeSteps(
  { a0, b0, grad_a, grad_b }: Inputs,
  create: (parameters: Parameter[]) => Optimizer,
): Promise<Record<string, Tensor>> {
  const a = new Parameter(a0);
  const b = new Parameter(b0);
  const optimizer = create([a, b]);
  const after: { a: Tensor[]; b: Tensor[] } = { a: [], b: [] };
  for (let t = 0; t < grad_a.shape[0]; t++) {
    const loss = add(sum(mul(a.tensor, entry(grad_a, t))), sum(mul(b.tensor, entry(grad_b, t))));
    await optimizer.step(loss);
    after.a.push(tensor(await a.tensor.data(), a.shape));
    after.b.push(tensor(await b.tensor.data(), b.shape));
  }
  return { a_steps: stack(after.a), b_steps: stack(after.b) };
}

/** Entry `t` of the first axis, which goes. */
function entry(x: Tensor, t: number): Tensor {
  return reshape(slice(x, [[t, t + 1]]), x.shape.slice(1));
}

/** Rates of the steps 0 .. `steps` - 1, in float64 as the cases hold them. */
function rates(schedule: Schedule, steps: number): Record<string, Tensor> {
  return { lr: tensor(Float64Array.from({ length: steps }, (_, t) => schedule(t))) };
}
