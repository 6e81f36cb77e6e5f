/**
 * @file Slots: where a module keeps its tensors. A tensor never changes, so training replaces the one in the slot.
 *
 * A `Parameter` is trained. A `Buffer` is not, but belongs to the model's state, such as running statistics.
 */

import {
  checkOptions,
  checkTensor,
  dependencies,
  DTypeError,
  isFloat,
  isRealized,
  type OptionNames,
  release,
  sameShape,
  ShapeError,
  Shown,
  showTensor,
  takeAsLeaf,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

import { nnBrand } from "./brand.ts";

/** What `Parameter` and `Buffer` share: one tensor at a time, that can be replaced. */
export abstract class Slot extends Shown {
  protected current: Tensor;
  #substitute: Tensor | null = null;

  /**
   * @param initial - a computed tensor, such as a leaf. Values that lie on a device move into the slot.
   * @throws {ValueError} when `initial` has not been computed yet.
   */
  constructor(initial: Tensor, requiresGrad: boolean) {
    super();
    checkTensor("Slot", "initial", initial);
    checkComputed("Slot", "initial", initial);
    this.current = takeAsLeaf(initial, requiresGrad);
  }

  get [nnBrand](): string {
    return "a Parameter or Buffer";
  }

  /** The values to compute with. Read it in every forward pass: the tensor is another one after each training step. */
  get tensor(): Tensor {
    return this.#substitute ?? this.current;
  }

  /**
   * Lets `t` stand in for the values, or nothing for `null`. See `functionalCall`.
   *
   * @param t - of the slot's shape.
   * @returns a function that puts everything back as it was.
   */
  substitute(t: Tensor | null): () => void {
    const before = this.#substitute;
    if (t) this.#substitute = t;
    return () => {
      this.#substitute = before;
    };
  }

  get shape(): readonly number[] {
    return this.current.shape;
  }

  /** Number of elements. */
  get size(): number {
    return this.current.size;
  }

  /**
   * Puts another tensor of the same shape in place, and its element type with it. The former one is freed: graphs that were
   * recorded from it and not yet computed cannot run any more. Values of `next` that lie on a device move into the slot.
   *
   * @throws {ShapeError} when the shape differs.
   * @throws {DTypeError} when one is int32 and the other is not.
   * @throws {ValueError} when `next` has not been computed yet.
   */
  set(next: Tensor): void {
    checkSameShape("Slot.set", "next", next, this);
    if (isFloat(next.dtype) !== isFloat(this.current.dtype)) {
      const rule = `the new tensor must be ${isFloat(this.current.dtype) ? "float32 or float64" : "int32"}, as the old one is`;
      throw new DTypeError("Slot.set", rule, next.dtype);
    }
    checkComputed("Slot.set", "next", next);
    const before = this.current;
    if (next === before) return;
    forgetUpdatesFrom(before);
    this.current = takeAsLeaf(next, this.requiresGrad);
    release(
      before,
      "it was in a parameter or buffer that has been replaced since this graph was recorded, by an optimiser's step " +
        "or by loading; record the graph again from the new one",
    );
  }

  protected abstract readonly requiresGrad: boolean;
}

/**
 * A tensor to be trained.
 *
 * @example
 * ```ts
 * const p = new Parameter(tensor([1, 2]));
 * await new SGD([p], { lr: 0.5 }).step(p.tensor.mul(p.tensor).sum());
 * await p.tensor.data(); // [0, 0]
 * ```
 */
export class Parameter extends Slot {
  #trainable = true;

  /**
   * @param initial - a computed tensor, such as a leaf.
   * @throws {DTypeError} when `initial` is int32.
   * @throws {ValueError} when `initial` has not been computed yet.
   */
  constructor(initial: Tensor) {
    checkTensor("Parameter", "initial", initial);
    if (!isFloat(initial.dtype))
      throw new DTypeError("Parameter", "a parameter must be float32 or float64", initial.dtype);
    super(initial, true);
  }

  /** False freezes it: optimisers leave it alone, and no gradient is computed for it. Record graphs again after a change. */
  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(on: boolean) {
    if (on === this.#trainable) return;
    this.#trainable = on;
    forgetUpdatesFrom(this.current);
    this.current = takeAsLeaf(this.current, on);
  }

  override toString(): string {
    return showTensor(this.tensor, { name: "Parameter", path: "p.tensor", notes: this.#trainable ? [] : ["frozen"] });
  }

  protected get requiresGrad(): boolean {
    return this.#trainable;
  }
}

/** Options of a buffer. */
export interface BufferOptions {
  /** Loading a state without it is no error: it can be computed, or counts for little. Default false. */
  readonly optional?: boolean;
}

const bufferOptions: OptionNames<BufferOptions> = { optional: 0 };

/** A new value of a buffer that a forward pass has recorded. */
export interface BufferUpdate {
  readonly next: Tensor;
  /** What the forward pass was given. */
  readonly input: Tensor;
}

/**
 * A tensor of the model's state that is not trained.
 *
 * A forward pass may record its next value with `update`. The optimiser's step that the pass belongs to computes it
 * together with everything else and puts it in place; without an optimiser, `realize(b.tensor)` and `b.commit()` do.
 *
 * @example
 * ```ts
 * const count = new Buffer(tensor([0]));
 * count.update(count.tensor.add(1), tensor([5]));
 * await realize(count.tensor);
 * count.commit();
 * await count.tensor.data(); // [1]
 * ```
 */
export class Buffer extends Slot {
  readonly optional: boolean;
  #update: BufferUpdate | null = null;
  readonly #reference = new WeakRef(this);

  /**
   * @param initial - a computed tensor, such as a leaf.
   * @throws {ValueError} when `initial` has not been computed yet.
   */
  constructor(initial: Tensor, options?: BufferOptions) {
    super(initial, false);
    const { optional = false } = checkOptions("Buffer(initial)", bufferOptions, options, arguments);
    this.optional = optional;
  }

  /** The values, including an update that is recorded but not yet computed. */
  override get tensor(): Tensor {
    return this.#update?.next ?? super.tensor;
  }

  /**
   * Records the value after this forward pass.
   *
   * @param next - of the buffer's shape, made of `tensor` among others, so that several passes before a step add up.
   * @param input - what the forward pass was given: the step of a loss that depends on it computes the update.
   * @throws {ShapeError} when the shape of `next` differs.
   */
  update(next: Tensor, input: Tensor): void {
    checkSameShape("Buffer.update", "next", next, this);
    this.#record({ next, input });
  }

  /** The recorded update, until `commit`, `rollBack` or `set`. */
  get pending(): BufferUpdate | null {
    return this.#update;
  }

  /**
   * Puts the recorded update in place, if there is one.
   *
   * @throws {ValueError} when it has not been computed yet.
   */
  commit(): void {
    if (this.#update) this.set(this.#update.next);
  }

  /** Forgets the recorded update. */
  rollBack(): void {
    this.#record(null);
  }

  override toString(): string {
    return showTensor(this.current, {
      name: "Buffer",
      path: "b.tensor",
      notes: this.#update ? ["an update is recorded"] : [],
    });
  }

  override set(next: Tensor): void {
    super.set(next);
    this.rollBack(); // what was recorded started from the value that is gone
  }

  override substitute(t: Tensor | null): () => void {
    const restore = super.substitute(t);
    const update = this.#update;
    if (t) this.#record(null);
    return () => {
      restore();
      this.#record(update);
    };
  }

  protected get requiresGrad(): boolean {
    return false;
  }

  #record(update: BufferUpdate | null): void {
    this.#update = update;
    if (update) pending.add(this.#reference);
    else pending.delete(this.#reference);
  }
}

/** Buffers with a recorded update, held weakly: a model that nobody uses any more can be collected. */
const pending = new Set<WeakRef<Buffer>>();

/** The buffers whose recorded update is not in place yet. */
export function pendingBuffers(): Buffer[] {
  const live: Buffer[] = [];
  for (const reference of pending) {
    const buffer = reference.deref();
    if (buffer) live.push(buffer);
    else pending.delete(reference);
  }
  return live;
}

/** Drops recorded updates that need `t`, which is about to go: they could never be computed, nor what follows from them. */
function forgetUpdatesFrom(t: Tensor): void {
  for (const buffer of pendingBuffers()) {
    const needed = dependencies([buffer.tensor], (each) => each !== t && isRealized(each));
    if (needed.includes(t)) buffer.rollBack();
  }
}

function checkSameShape(op: string, name: string, t: Tensor, slot: Slot): void {
  checkTensor(op, name, t);
  if (sameShape(t.shape, slot.shape)) return;
  throw new ShapeError(op, `${name} must have the shape of the slot`, { [name]: t.shape, "the slot": slot.shape });
}

function checkComputed(op: string, name: string, t: Tensor): void {
  if (isRealized(t)) return;
  throw new ValueError(op, `${name} must be computed already (await realize(t) computes)`, "a tensor that is not");
}
