/**
 * @file Optimisers. A step asks for the loss, its gradients, the new parameters and the optimiser's new state in one graph, so
 * the forward pass runs once; then the new tensors replace the old ones, all of them or, if a number is not finite, none.
 *
 * Learning rates are data, scalars that a step reads: the graph of a step has the same structure every time.
 *
 * Source: torch.optim.SGD, Adam, AdamW; Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101.
 */

import {
  add,
  dependencies,
  div,
  full,
  GraphError,
  gradientsOf,
  minimum,
  mul,
  realize,
  release,
  ShapeError,
  sqrt,
  sub,
  sum,
  takeAsLeaf,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

import { type Buffer, type Parameter, pendingBuffers } from "./slot.ts";

/** What a step found. */
export interface StepResult {
  /** The loss before the update; NaN for a step from `.grad`, which has no loss. */
  readonly loss: number;
  /** Euclidean norm of all gradients together, before clipping. */
  readonly gradNorm: number;
}

export interface StepOptions {
  /** Scale the gradients down so that their norm is at most this. Default: no limit. */
  readonly clipNorm?: number;
}

/** A step whose loss or gradient is NaN or infinite. Parameters, state and running statistics are as before it. */
export class NonFiniteError extends Error {
  override name = "NonFiniteError";
  readonly result: StepResult;

  constructor(result: StepResult) {
    super(
      `optimizer.step: loss and gradients must be finite, got loss ${result.loss} and gradient norm ${result.gradNorm}; ` +
        "nothing was updated. A smaller learning rate or { clipNorm } may help",
    );
    this.result = result;
  }
}

/** Tensors that an optimiser keeps for one parameter, by PyTorch's names. */
export type ParameterState = Readonly<Record<string, Tensor>>;

/** A parameter's new value and state, recorded and not yet computed. */
export interface Update {
  readonly value: Tensor;
  readonly state: ParameterState;
}

export abstract class Optimizer {
  /** The learning rate of the next step. Schedules set it. */
  lr: number;
  /** Steps done. */
  steps = 0;
  readonly parameters: readonly Parameter[];
  readonly state = new Map<Parameter, ParameterState>();

  constructor(name: string, parameters: Iterable<Parameter>, lr: number) {
    this.parameters = [...new Set(parameters)];
    if (this.parameters.length === 0) throw new ValueError(name, "parameters must hold at least one parameter", "none");
    checkRange(name, { lr }, 0, Infinity);
    this.lr = lr;
  }

  /** Hyperparameters other than the learning rate, as plain data: checkpoints store and compare them. */
  abstract readonly hyperparameters: Readonly<Record<string, unknown>>;

  /** Records the update of one parameter. `step` counts from 1. */
  protected abstract update(p: Tensor, g: Tensor, state: ParameterState | undefined, step: number): Update;

  /**
   * One training step: computes the loss, the gradients and the update together.
   *
   * @param loss - a scalar made from the parameters. Without it the step uses the `.grad` that `loss.backward()` has filled,
   *   and clears it.
   * @throws {NonFiniteError} when the loss or a gradient is NaN or infinite; nothing is changed then.
   * @throws {GraphError} when no trainable parameter has a gradient.
   */
  async step(loss?: Tensor, { clipNorm }: StepOptions = {}): Promise<StepResult> {
    if (loss && loss.shape.length !== 0)
      throw new ShapeError("optimizer.step", "loss must be a scalar", { loss: loss.shape });
    const trained = this.parameters.filter((p) => p.trainable);
    const tensors = trained.map((p) => p.tensor);
    const found = loss ? gradientsOf(loss, tensors) : tensors.map((t) => t.grad);
    const due = trained.flatMap((parameter, i) => (found[i] ? [{ parameter, gradient: found[i] }] : []));
    if (due.length === 0) {
      throw new GraphError(
        "optimizer.step: at least one trainable parameter must have a gradient, got none: " +
          (loss
            ? "the loss does not depend on the parameters"
            : "call loss.backward() first, or give the loss to step"),
      );
    }
    const { gradients, norm } = clipGradNorm(
      due.map(({ gradient }) => gradient),
      clipNorm ?? Infinity,
    );
    const updates = due.map(({ parameter }, i) =>
      this.update(parameter.tensor, gradients[i], this.state.get(parameter), this.steps + 1),
    );
    const buffers = buffersOf(due.map(({ parameter }) => parameter.tensor));
    const results = updates.flatMap(({ value, state }) => [value, ...Object.values(state)]);
    await realize(...(loss ? [loss] : []), norm, ...results, ...buffers.map((b) => b.tensor));

    const result = { loss: loss ? await loss.item() : NaN, gradNorm: await norm.item() };
    if (!Number.isFinite(result.gradNorm) || (loss && !Number.isFinite(result.loss))) {
      const failed = "the step that computed it was not finite and was undone";
      for (const t of [...results, ...buffers.map((b) => b.tensor)]) release(t, failed);
      for (const b of buffers) b.rollBack();
      throw new NonFiniteError(result);
    }
    this.steps++;
    for (const b of buffers) b.commit();
    due.forEach(({ parameter }, i) => {
      const before = this.state.get(parameter);
      this.state.set(
        parameter,
        mapValues(updates[i].state, (t) => takeAsLeaf(t)),
      );
      for (const t of Object.values(before ?? {})) release(t, "it was optimiser state that a step has replaced");
      parameter.set(updates[i].value);
    });
    return result;
  }

  /** Forgets the gradients that `backward()` has added up. */
  zeroGrad(): void {
    for (const { tensor } of this.parameters) tensor.grad = null;
  }
}

/**
 * Recorded updates of running statistics that need the parameters which are about to be replaced: it is now or never.
 */
function buffersOf(parameters: readonly Tensor[]): Buffer[] {
  const replaced = new Set(parameters);
  return pendingBuffers().filter((b) => dependencies([b.tensor]).some((t) => replaced.has(t)));
}

/**
 * Scales gradients down together so that their common Euclidean norm is at most `maxNorm`.
 *
 * @param gradients - any shapes.
 * @param maxNorm - above 0; `Infinity` for no limit.
 * @returns the gradients, scaled by min(1, maxNorm / (norm + 1e-6)) as PyTorch does, and the norm before.
 * @throws {ValueError} when `maxNorm` is not above 0 or there is no gradient.
 *
 * @example
 * ```ts
 * const { gradients, norm } = clipGradNorm([tensor([3]), tensor([4])], 10);
 * await norm.item(); // 5
 * await gradients[0].data(); // [3]
 * ```
 */
export function clipGradNorm(gradients: readonly Tensor[], maxNorm: number): { gradients: Tensor[]; norm: Tensor } {
  if (!(maxNorm > 0)) throw new ValueError("clipGradNorm", "maxNorm must be above 0", String(maxNorm));
  if (gradients.length === 0) throw new ValueError("clipGradNorm", "gradients must hold at least one tensor", "none");
  const norm = sqrt(gradients.map((g) => sum(mul(g, g))).reduce(add));
  if (maxNorm === Infinity) return { gradients: [...gradients], norm };
  const factor = minimum(div(maxNorm, add(norm, 1e-6)), 1); // PyTorch's guard against a norm of 0
  return { gradients: gradients.map((g) => mul(g, factor)), norm };
}

export interface SGDOptions {
  readonly lr: number;
  /** Weight of the past in the velocity. Default 0. */
  readonly momentum?: number;
  /** How much less than fully a new gradient enters the velocity. Default 0. */
  readonly dampening?: number;
  /** Look one step of the velocity ahead. Default false. */
  readonly nesterov?: boolean;
  /** Factor of the parameter added to its gradient. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent.
 *
 *     g += weightDecay p;  v = momentum v + (1 - dampening) g (v = g at first);  p -= lr v, or lr (g + momentum v) with nesterov
 *
 * @throws {ValueError} when an option is out of its range.
 */
export class SGD extends Optimizer {
  readonly hyperparameters;

  constructor(
    parameters: Iterable<Parameter>,
    { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 }: SGDOptions,
  ) {
    super("SGD", parameters, lr);
    checkRange("SGD", { momentum, weightDecay }, 0, Infinity);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ValueError(
        "SGD",
        "nesterov needs momentum above 0 and dampening 0",
        `momentum ${momentum} and dampening ${dampening}`,
      );
    }
    this.hyperparameters = { momentum, dampening, nesterov, weightDecay };
  }

  protected update(p: Tensor, gradient: Tensor, state: ParameterState | undefined): Update {
    const { momentum, dampening, nesterov, weightDecay } = this.hyperparameters;
    const g = weightDecay === 0 ? gradient : add(gradient, mul(p, weightDecay));
    const lr = full([], this.lr, { dtype: p.dtype });
    if (momentum === 0) return { value: sub(p, mul(g, lr)), state: {} };
    const before = state?.momentum_buffer;
    const v = before ? add(mul(before, momentum), mul(g, 1 - dampening)) : mul(g, 1);
    const direction = nesterov ? add(g, mul(v, momentum)) : v;
    return { value: sub(p, mul(direction, lr)), state: { momentum_buffer: v } };
  }
}

export interface AdamOptions {
  readonly lr: number;
  /** Decay of the running mean and of the running mean square. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the mean square. Default 1e-8. */
  readonly eps?: number;
  /** Default 0 for Adam, 0.01 for AdamW. */
  readonly weightDecay?: number;
}

/**
 * Adam. Weight decay is added to the gradient.
 *
 *     m = β1 m + (1 - β1) g;  v = β2 v + (1 - β2) g²;  p -= lr / (1 - β1^t) · m / (√v / √(1 - β2^t) + eps)
 *
 * @throws {ValueError} when an option is out of its range.
 */
export class Adam extends Optimizer {
  readonly hyperparameters;

  constructor(parameters: Iterable<Parameter>, { lr, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamOptions) {
    super(new.target.name, parameters, lr);
    checkRange(new.target.name, { "betas[0]": betas[0], "betas[1]": betas[1] }, 0, 1);
    checkRange(new.target.name, { eps, weightDecay }, 0, Infinity);
    this.hyperparameters = { betas, eps, weightDecay };
  }

  protected update(p: Tensor, gradient: Tensor, state: ParameterState | undefined, step: number): Update {
    const {
      betas: [beta1, beta2],
      eps,
    } = this.hyperparameters;
    const scalar = (value: number): Tensor => full([], value, { dtype: p.dtype });
    const { decayed, g } = this.decay(p, gradient);
    const m = state ? add(mul(state.exp_avg, beta1), mul(g, 1 - beta1)) : mul(g, 1 - beta1);
    const v = state ? add(mul(state.exp_avg_sq, beta2), mul(mul(g, g), 1 - beta2)) : mul(mul(g, g), 1 - beta2);
    const rate = scalar(this.lr / (1 - beta1 ** step));
    const correction = scalar(Math.sqrt(1 - beta2 ** step));
    const scaled = div(m, add(div(sqrt(v), correction), eps));
    return { value: sub(decayed, mul(scaled, rate)), state: { exp_avg: m, exp_avg_sq: v } };
  }

  /** Where weight decay enters. */
  protected decay(p: Tensor, g: Tensor): { decayed: Tensor; g: Tensor } {
    const { weightDecay } = this.hyperparameters;
    return { decayed: p, g: weightDecay === 0 ? g : add(g, mul(p, weightDecay)) };
  }
}

/**
 * Adam with decoupled weight decay: the parameter shrinks by lr · weightDecay, and the gradient stays as it is.
 *
 * @throws {ValueError} when an option is out of its range.
 */
export class AdamW extends Adam {
  constructor(parameters: Iterable<Parameter>, { weightDecay = 0.01, ...options }: AdamOptions) {
    super(parameters, { ...options, weightDecay });
  }

  protected override decay(p: Tensor, g: Tensor): { decayed: Tensor; g: Tensor } {
    const shrink = full([], 1 - this.lr * this.hyperparameters.weightDecay, { dtype: p.dtype });
    return { decayed: mul(p, shrink), g };
  }
}

function checkRange(name: string, values: Readonly<Record<string, number>>, low: number, high: number): void {
  for (const [option, value] of Object.entries(values)) {
    if (!(value >= low && value < high)) {
      const rule = high === Infinity ? `at least ${low} and finite` : `in [${low}, ${high})`;
      throw new ValueError(name, `${option} must be ${rule}`, String(value));
    }
  }
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, f: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));
}
