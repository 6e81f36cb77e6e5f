/** @file How to run the golden cases of Adam with the ops that it is made of. */

import { add, mul, reshape, slice, stack, type Tensor, tensor, zeros } from "@gridgrad/core";
import type { GoldenAttrs, GoldenRun } from "@gridgrad/core/testing";

import { adamUpdate } from "../ops/adamUpdate.ts";
import { runningAverage } from "../ops/runningAverage.ts";

/** The values of both parameters after each step. */
export const runAdam: GoldenRun = ({ a0, b0, grad_a, grad_b }, attrs) => ({
  a_steps: stack(takeSteps(a0, grad_a, attrs)),
  b_steps: stack(takeSteps(b0, grad_b, attrs)),
});

function takeSteps(start: Tensor, gradients: Tensor, attrs: GoldenAttrs): Tensor[] {
  const [lr, eps, weightDecay] = ["lr", "eps", "weight_decay"].map((name) => attrs.number(name));
  const [beta1, beta2] = attrs.numbers("betas");
  const scalar = (value: number): Tensor => tensor(value, [], { dtype: start.dtype });
  const after: Tensor[] = [];
  let p = start;
  let m = zeros(p.shape, { dtype: p.dtype });
  let v = m;
  for (let t = 1; t <= gradients.shape[0]; t++) {
    const g = add(reshape(slice(gradients, [[t - 1, t]]), p.shape), mul(p, weightDecay));
    m = runningAverage(m, g, beta1);
    v = runningAverage(v, g, beta2, { squared: true });
    p = adamUpdate(p, m, v, scalar(lr / (1 - beta1 ** t)), scalar(Math.sqrt(1 - beta2 ** t)), eps);
    after.push(p);
  }
  return after;
}
