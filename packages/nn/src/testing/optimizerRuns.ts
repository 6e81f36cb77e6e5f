/**
 * @file How to run the golden cases of optimisers and schedules: PyTorch's operation and argument names to our classes.
 *
 * A case of an optimiser has two parameters, `a` and `b`, and their gradients at every step. The loss Σ a ga + Σ b gb has
 * exactly these gradients, so the classes take the steps that a training loop takes.
 */

import { add, mul, reshape, slice, stack, sum, type Tensor, tensor } from "@gridgrad/core";
import type { GoldenAttrs, GoldenInputs, GoldenRuns } from "@gridgrad/core/testing";

import { Adam, type AdamOptions, AdamW, clipGradNorm, type Optimizer, SGD } from "../optimizer.ts";
import { cosineLr, type Schedule, stepLr } from "../schedule.ts";
import { Parameter } from "../slot.ts";

export const optimizerRuns: GoldenRuns = {
  adam(inputs, attrs) {
    const options = adamOptions(attrs);
    return takeSteps(inputs, (parameters) => new Adam(parameters, options));
  },

  adamw(inputs, attrs) {
    const options = adamOptions(attrs);
    return takeSteps(inputs, (parameters) => new AdamW(parameters, options));
  },

  sgd(inputs, attrs) {
    const options = {
      lr: attrs.number("lr"),
      momentum: attrs.number("momentum"),
      dampening: attrs.number("dampening"),
      nesterov: attrs.boolean("nesterov"),
      weightDecay: attrs.number("weight_decay"),
    };
    return takeSteps(inputs, (parameters) => new SGD(parameters, options));
  },

  clip_grad_norm({ grad_a, grad_b }, attrs) {
    const { gradients, norm } = clipGradNorm([grad_a, grad_b], attrs.number("max_norm"));
    return { a: gradients[0], b: gradients[1], total_norm: norm };
  },

  cosine_lr(_inputs, attrs, shapeOf) {
    const options = { lr: attrs.number("lr"), steps: attrs.number("T_max"), minLr: attrs.number("eta_min") };
    return rates(cosineLr(options), shapeOf("lr")[0]);
  },

  step_lr(_inputs, attrs, shapeOf) {
    const [count] = shapeOf("lr");
    attrs.repeats("steps", count);
    const options = { lr: attrs.number("lr"), stepSize: attrs.number("step_size"), gamma: attrs.number("gamma") };
    return rates(stepLr(options), count);
  },
};

function adamOptions(attrs: GoldenAttrs): AdamOptions {
  const [beta1, beta2] = attrs.numbers("betas");
  return {
    lr: attrs.number("lr"),
    betas: [beta1, beta2],
    eps: attrs.number("eps"),
    weightDecay: attrs.number("weight_decay"),
  };
}

/** The parameters' values after each step. */
async function takeSteps(
  { a0, b0, grad_a, grad_b }: GoldenInputs,
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
