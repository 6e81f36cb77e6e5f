/**
 * @file Optimisers. A step asks for the loss, its gradients, the new parameters and the optimiser's new state in one graph, so
 * the forward pass runs once; then the new tensors replace the old ones, all of them or, if a gradient is not finite, none.
 *
 * Learning rates are data, scalars that a step reads: the graph of a step has the same structure every time.
 *
 * Source: torch.optim.SGD, Adam, AdamW; Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101.
 */

import {
  abs,
  add,
  checkOptions,
  checkTensor,
  clamp,
  dependencies,
  div,
  type DType,
  full,
  gradientsOf,
  GraphError,
  less,
  max,
  maximum,
  mul,
  type OptionNames,
  realize,
  release,
  ShapeError,
  Shown,
  showValue,
  sqrt,
  sub,
  sum,
  takeAsLeaf,
  type Tensor,
  ValueError,
  where,
  zeros,
} from "@gridgrad/core";
import { adamUpdate, runningAverage } from "@gridgrad/ops";

import { checkParameters } from "./checkParameters.ts";
import { turnOfEventLoop } from "./eventLoop.ts";
import { showOptions } from "./showOptions.ts";
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

const stepOptions: OptionNames<StepOptions> = { clipNorm: 0 };

/**
 * A step with a gradient that is NaN or infinite, or too large for the optimiser. Parameters, state and running statistics are as
 * before it.
 */
export class NonFiniteError extends Error {
  override name = "NonFiniteError";
  readonly result: StepResult;

  constructor(result: StepResult, rule = "gradients must be finite") {
    const { loss, gradNorm } = result;
    super(
      `optimizer.step: ${rule}, got loss ${loss} and gradient norm ${gradNorm}; nothing was updated. ` +
        "A smaller learning rate or { clipNorm } may help",
    );
    this.result = result;
  }
}

/** Tensors that an optimiser keeps for one parameter, by PyTorch's names. */
export type StateTensors = Readonly<Record<string, Tensor>>;

/** What an optimiser knows about one parameter. */
export interface ParameterState {
  /** Steps that have updated the parameter: fewer than the optimiser's if it was frozen or had no gradient in some. */
  readonly steps: number;
  readonly tensors: StateTensors;
}

/** A parameter's new value and state, recorded and not yet computed. */
export interface Update {
  readonly value: Tensor;
  readonly state: StateTensors;
}

/** What SGD, Adam and AdamW share: the step. A new optimiser says how it updates one parameter. */
export abstract class Optimizer extends Shown {
  /** The class, as errors and checkpoints call it. */
  readonly kind: string;
  /** The learning rate of the next step. Schedules set it. */
  lr: number;
  /** Steps done. */
  steps = 0;
  readonly parameters: readonly Parameter[];
  /** Of the parameters that a step has updated. */
  readonly state = new Map<Parameter, ParameterState>();
  #stepping = false;

  /**
   * @param parameters - each counts once.
   * @throws {ValueError} when there is none, or `lr` is negative or not finite.
   */
  constructor(kind: string, parameters: Iterable<Parameter>, lr: number) {
    super();
    this.kind = kind;
    this.parameters = checkParameters(kind, parameters);
    checkRange(kind, { lr }, 0, Infinity);
    this.lr = lr;
  }

  /** Hyperparameters other than the learning rate, as plain data: checkpoints store and compare them. */
  abstract readonly hyperparameters: Readonly<Record<string, unknown>>;

  toString(): string {
    const options = showOptions({ lr: this.lr, ...this.hyperparameters });
    const counts = [counted(this.parameters.length, "parameter"), counted(this.steps, "step")];
    return `${this.kind}(${options}) of ${counts.join(" after ")}`;
  }

  /** Names of the tensors that a parameter's state holds. */
  abstract readonly stateNames: readonly string[];

  /** Norm of the gradients from which on the optimiser's own numbers would be infinite, for gradients of that type. */
  protected largestNorm(_dtype: DType): number {
    return Infinity;
  }

  /** Records the update of one parameter. `step` counts the parameter's updates from 1. */
  protected abstract update(p: Tensor, g: Tensor, state: StateTensors | undefined, step: number): Update;

  /**
   * One training step: computes the loss, the gradients and the update together. Parameters without a gradient are left alone. Of the
   * loss itself only the gradients count: a mean over no labels is NaN, but its gradients are 0, and the step goes on.
   * The event loop gets a turn in every step, so timers, signals and the drawing of a page go on while a loop trains.
   *
   * @param loss - a scalar made from the parameters. Without it the step uses the `.grad` that `loss.backward()` has filled,
   *   and clears it; read that loss before the step, which replaces what it is computed from.
   * @param options.clipNorm - scale the gradients down so that their common norm is at most this. Default: no limit.
   * @returns the loss and the norm of the gradients, both from before the update.
   * @throws {NonFiniteError} when a gradient is NaN or infinite, or too large for the optimiser; nothing is changed then.
   * @throws {ShapeError} when the loss is not a scalar.
   * @throws {ValueError} when `lr` or `clipNorm` is out of its range.
   * @throws {GraphError} when no trainable parameter has a gradient, or the step before is not done.
   *
   * @example
   * ```ts
   * const p = new Parameter(tensor([3]));
   * const optimizer = new SGD([p], { lr: 0.5 });
   * const { loss, gradNorm } = await optimizer.step(p.tensor.mul(p.tensor).sum());
   * loss; // 9
   * gradNorm; // 6
   * await p.tensor.data(); // [0]
   * ```
   */
  async step(loss?: Tensor, options?: StepOptions): Promise<StepResult> {
    const { clipNorm = Infinity } = checkOptions("optimizer.step(loss)", stepOptions, options, arguments);
    if (loss !== undefined) checkTensor("optimizer.step", "loss", loss);
    if (this.#stepping) {
      throw new GraphError("optimizer.step: the step before must be done (await it), got a call while it runs");
    }
    this.#stepping = true;
    try {
      const result = await this.#step(loss, clipNorm);
      await turnOfEventLoop();
      return result;
    } finally {
      this.#stepping = false;
    }
  }

  async #step(loss: Tensor | undefined, clipNorm: number): Promise<StepResult> {
    if (loss && loss.shape.length !== 0)
      throw new ShapeError("optimizer.step", "loss must be a scalar", { loss: loss.shape });
    checkRange("optimizer.step", { lr: this.lr }, 0, Infinity);
    const due = this.#gradients(loss);
    const { gradients, norm, root, largest } = clip(
      due.map(({ gradient }) => gradient),
      clipNorm,
    );
    const states = due.map(({ parameter }) => this.state.get(parameter));
    const updates = due.map(({ parameter }, i) =>
      this.update(parameter.tensor, gradients[i], states[i]?.tensors, (states[i]?.steps ?? 0) + 1),
    );
    const buffers = updatedBuffers(
      loss ? [loss] : gradients,
      due.map(({ parameter }) => parameter.tensor),
    );
    const results = [...updates.flatMap(({ value, state }) => [value, ...Object.values(state)]), ...buffers.values()];
    let result: StepResult;
    try {
      await realize(...(loss ? [loss] : []), norm, root, largest, ...results);
      let gradNorm = await norm.item();
      if (gradNorm === Infinity) gradNorm = (await root.item()) * (await largest.item()); // beyond float32 only, perhaps
      result = { loss: loss ? await loss.item() : NaN, gradNorm };
      this.#checkNorm(result, clipNorm, norm.dtype);
    } catch (error) {
      for (const t of results) release(t, "it was the result of a step that failed and was undone");
      for (const buffer of buffers.keys()) buffer.rollBack();
      throw error;
    } finally {
      for (const t of [root, largest]) release(t, "it was a part of the norm of a step's gradients");
    }

    this.steps++;
    for (const [buffer, next] of buffers) buffer.set(next);
    due.forEach(({ parameter }, i) => {
      const tensors = mapValues(updates[i].state, (t) => takeAsLeaf(t));
      this.state.set(parameter, { steps: (states[i]?.steps ?? 0) + 1, tensors });
      for (const t of Object.values(states[i]?.tensors ?? {}))
        release(t, "it was optimiser state that a step has replaced");
      parameter.set(updates[i].value);
    });
    return result;
  }

  #checkNorm(result: StepResult, clipNorm: number, dtype: DType): void {
    if (!Number.isFinite(result.gradNorm)) throw new NonFiniteError(result);
    const limit = this.largestNorm(dtype);
    if (Math.min(result.gradNorm, clipNorm) > limit) {
      throw new NonFiniteError(
        result,
        `gradients must have a norm of at most ${limit.toPrecision(2)} for ${this.kind}`,
      );
    }
  }

  /** The parameters to update, with their gradients. */
  #gradients(loss: Tensor | undefined): { parameter: Parameter; gradient: Tensor }[] {
    const trained = this.parameters.filter((p) => p.trainable);
    const tensors = trained.map((p) => p.tensor);
    const found = loss ? gradientsOf(loss, tensors) : tensors.map((t) => t.grad);
    const due = trained.flatMap((parameter, i) => (found[i] ? [{ parameter, gradient: found[i] }] : []));
    if (due.length > 0) return due;
    const why = loss
      ? "the loss does not depend on the parameters as they are now (was it recorded before the last step?)"
      : "call loss.backward() first, or give the loss to step";
    throw new GraphError(`optimizer.step: at least one trainable parameter must have a gradient, got none: ${why}`);
  }

  /** Forgets the gradients that `backward()` has added up. */
  zeroGrad(): void {
    for (const { tensor } of this.parameters) tensor.grad = null;
  }
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/**
 * The recorded updates that a step computes: of the forward passes whose results it needs, and of those that need parameters
 * which it replaces, for which it is now or never.
 */
function updatedBuffers(results: readonly Tensor[], replaced: readonly Tensor[]): Map<Buffer, Tensor> {
  const updates = new Map<Buffer, Tensor>();
  const buffers = pendingBuffers();
  if (buffers.length === 0) return updates;
  const used = new Set(dependencies(results));
  const going = new Set(replaced);
  for (const buffer of buffers) {
    const { next, input } = buffer.pending!;
    if (taken.has(next)) continue;
    if (used.has(input) || dependencies([next]).some((t) => going.has(t))) updates.set(buffer, next);
  }
  for (const next of updates.values()) taken.add(next);
  return updates;
}

/** Updates that a step computes: another one, of a model that sees the same batch, must not put them in place a second time. */
const taken = new WeakSet<Tensor>();

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
  const { gradients: clipped, norm } = clip(gradients, maxNorm);
  return { gradients: clipped, norm };
}

/** Numbers of each type by which all others can be divided. The smallest one is so large that 1e-6 can be divided by it. */
const divisors = {
  float32: { min: 1e-30, max: 3.4028234663852886e38 },
  float64: { min: 1e-300, max: Number.MAX_VALUE },
};

/**
 * What `clipGradNorm` does, with the two factors of the norm: norm = root · largest. The squares of large numbers are infinite and those
 * of small ones 0, so all gradients are divided by the largest before they are squared:
 *
 *     root² = Σ (g / largest)²
 */
function clip(
  gradients: readonly Tensor[],
  maxNorm: number,
): { gradients: Tensor[]; norm: Tensor; root: Tensor; largest: Tensor } {
  if (!Array.isArray(gradients)) {
    const rule = "gradients must be an array of tensors";
    throw new ValueError("clipGradNorm", rule, showValue(gradients));
  }
  gradients.forEach((g, i) => checkTensor("clipGradNorm", `gradients[${i}]`, g));
  if (!(maxNorm > 0)) throw new ValueError("clipGradNorm", "maxNorm must be above 0", String(maxNorm));
  if (gradients.length === 0) throw new ValueError("clipGradNorm", "gradients must hold at least one tensor", "none");
  const { dtype } = gradients[0];
  const sizes = gradients.map((g) => (g.size === 0 ? zeros([], { dtype }) : max(abs(g)))); // there is no largest of none
  const largest = clamp(sizes.reduce(maximum), divisors[dtype === "float64" ? "float64" : "float32"]);
  const divided = gradients.map((g) => div(g, largest));
  const root = sqrt(divided.map((g) => sum(mul(g, g))).reduce(add));
  const norm = mul(root, largest);
  if (maxNorm === Infinity) return { gradients: [...gradients], norm, root, largest };
  const limit = div(maxNorm, add(root, div(1e-6, largest))); // PyTorch's guard against a norm of 0
  const over = less(limit, largest);
  const clipped = gradients.map((g, i) => where(over, mul(divided[i], limit), g));
  return { gradients: clipped, norm, root, largest };
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

const sgdOptions: OptionNames<SGDOptions> = { lr: 1, momentum: 1, dampening: 1, weightDecay: 1, nesterov: 1 };

/**
 * Stochastic gradient descent.
 *
 *     g += weightDecay p;  v = momentum v + (1 - dampening) g (v = g at first);  p -= lr v, or lr (g + momentum v) with nesterov
 *
 * @example
 * ```ts
 * const p = new Parameter(tensor([0]));
 * const optimizer = new SGD([p], { lr: 1, momentum: 0.5 });
 * for (let t = 0; t < 3; t++) await optimizer.step(p.tensor.sum());
 * await p.tensor.item(); // -4.25, which is -1 - 1.5 - 1.75
 * ```
 */
export class SGD extends Optimizer {
  readonly hyperparameters;
  readonly stateNames;

  /** @throws {ValueError} when an option is out of its range. */
  constructor(parameters: Iterable<Parameter>, options: SGDOptions) {
    const checked = checkOptions("SGD(parameters)", sgdOptions, options, arguments);
    const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = checked;
    super("SGD", parameters, lr);
    checkRange("SGD", { momentum, dampening, weightDecay }, 0, Infinity);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ValueError(
        "SGD",
        "nesterov needs momentum above 0 and dampening 0",
        `momentum ${momentum} and dampening ${dampening}`,
      );
    }
    this.hyperparameters = { momentum, dampening, nesterov, weightDecay };
    this.stateNames = momentum === 0 ? [] : ["momentum_buffer"];
  }

  protected update(p: Tensor, gradient: Tensor, state: StateTensors | undefined): Update {
    const { momentum, dampening, nesterov, weightDecay } = this.hyperparameters;
    const g = weightDecay === 0 ? gradient : add(gradient, mul(p, weightDecay));
    const lr = full([], this.lr, { dtype: p.dtype });
    if (momentum === 0) return { value: sub(p, mul(g, lr)), state: {} };
    // The first velocity is a tensor of its own, as the state keeps it and the gradient is the caller's.
    const v = state ? add(mul(state.momentum_buffer, momentum), mul(g, 1 - dampening)) : mul(g, 1);
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

const adamOptions: OptionNames<AdamOptions> = { lr: 1, betas: 1, eps: 1, weightDecay: 1 };

/**
 * Adam. Weight decay is added to the gradient.
 *
 *     m = β1 m + (1 - β1) g;  v = β2 v + (1 - β2) g²;  p -= lr / (1 - β1^t) · m / (√v / √(1 - β2^t) + eps)
 *
 * @example
 * ```ts
 * const p = new Parameter(tensor([1, 1]));
 * await new Adam([p], { lr: 0.5 }).step(p.tensor.mul(tensor([100, -0.01])).sum());
 * await p.tensor.data(); // [0.5, 1.4999995], steps of lr however large the gradients are
 * ```
 */
export class Adam extends Optimizer {
  /** Written out, as bundlers shorten the names of classes and checkpoints store it. */
  static readonly kind: string = "Adam";
  readonly hyperparameters;
  readonly stateNames = ["exp_avg", "exp_avg_sq"];

  /** @throws {ValueError} when an option is out of its range. */
  constructor(parameters: Iterable<Parameter>, options: AdamOptions) {
    const checked = checkOptions(`${new.target.kind}(parameters)`, adamOptions, options, arguments);
    const { lr, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = checked;
    super(new.target.kind, parameters, lr);
    if (!Array.isArray(betas) || betas.length !== 2)
      throw new ValueError(this.kind, "betas must be a pair of numbers", showValue(betas));
    const [beta1, beta2] = betas;
    checkRange(this.kind, { "betas[0]": beta1, "betas[1]": beta2 }, 0, 1);
    checkRange(this.kind, { eps, weightDecay }, 0, Infinity);
    this.hyperparameters = { betas: [beta1, beta2], eps, weightDecay };
  }

  /** The squares of larger gradients would be infinite, and the parameter would never move again. */
  protected override largestNorm(dtype: DType): number {
    return Math.sqrt(dtype === "float64" ? Number.MAX_VALUE : 3.4028234663852886e38);
  }

  protected update(p: Tensor, gradient: Tensor, state: StateTensors | undefined, step: number): Update {
    const {
      betas: [beta1, beta2],
      eps,
    } = this.hyperparameters;
    const scalar = (value: number): Tensor => full([], value, { dtype: p.dtype });
    const { decayed, g } = this.decay(p, gradient);
    const m = state ? runningAverage(state.exp_avg, g, beta1) : mul(g, 1 - beta1);
    const v = state ? runningAverage(state.exp_avg_sq, g, beta2, { squared: true }) : mul(mul(g, g), 1 - beta2);
    const rate = scalar(this.lr / (1 - beta1 ** step));
    const correction = scalar(Math.sqrt(1 - beta2 ** step));
    return { value: adamUpdate(decayed, m, v, rate, correction, eps), state: { exp_avg: m, exp_avg_sq: v } };
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
 * @example
 * ```ts
 * const p = new Parameter(tensor([8]));
 * await new AdamW([p], { lr: 0.5, weightDecay: 0.5 }).step(p.tensor.mul(0).sum());
 * await p.tensor.data(); // [6], for a gradient of 0
 * ```
 */
export class AdamW extends Adam {
  static override readonly kind = "AdamW";

  /** @throws {ValueError} when an option is out of its range. */
  constructor(parameters: Iterable<Parameter>, options: AdamOptions) {
    const { weightDecay = 0.01, ...rest } = checkOptions("AdamW(parameters)", adamOptions, options, arguments);
    super(parameters, { ...rest, weightDecay });
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
