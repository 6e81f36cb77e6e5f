/**
 * @file Slots: where a module keeps its tensors. A tensor never changes, so training replaces the one in the slot.
 *
 * A `Parameter` is trained. A `Buffer` is not, but belongs to the model's state, such as running statistics.
 */

import {
  DTypeError,
  isRealized,
  release,
  ShapeError,
  sameShape,
  takeAsLeaf,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

abstract class Slot {
  protected current: Tensor;
  #substitute: Tensor | null = null;

  /** @param initial - a computed tensor, such as a leaf. */
  constructor(initial: Tensor) {
    this.current = initial;
  }

  /** The values to compute with. Read it in every forward pass: the tensor is another one after each training step. */
  get tensor(): Tensor {
    return this.#substitute ?? this.current;
  }

  /** Lets `t` stand in for the values until it is `null` again. See `functionalCall`. */
  substitute(t: Tensor | null): void {
    if (t && !sameShape(t.shape, this.shape)) {
      throw new ShapeError("Slot.substitute", "the substitute must have the shape of the slot", {
        substitute: t.shape,
        slot: this.shape,
      });
    }
    this.#substitute = t;
  }

  get shape(): readonly number[] {
    return this.current.shape;
  }

  /** Number of elements. */
  get size(): number {
    return this.current.size;
  }

  /**
   * Puts another tensor of the same shape in place. The former one is freed; graphs that were recorded from it and not
   * yet computed cannot run any more.
   *
   * @throws {ShapeError} when the shape differs.
   * @throws {ValueError} when `next` has not been computed yet.
   */
  set(next: Tensor): void {
    if (!sameShape(next.shape, this.shape)) {
      throw new ShapeError("Slot.set", "the new tensor must have the shape of the old one", {
        new: next.shape,
        old: this.shape,
      });
    }
    if (!isRealized(next))
      throw new ValueError("Slot.set", "the new tensor must be computed (await realize(t))", "one that is not");
    const before = this.current;
    this.current = takeAsLeaf(next, this.requiresGrad);
    if (before !== next) {
      release(
        before,
        "it was in a parameter or buffer that has been replaced since this graph was recorded, by an optimiser's step " +
          "or by loading; record the graph again from the new one",
      );
    }
  }

  protected abstract readonly requiresGrad: boolean;
}

/** A tensor to be trained. */
export class Parameter extends Slot {
  #trainable = true;

  constructor(initial: Tensor) {
    if (initial.dtype === "int32")
      throw new DTypeError("Parameter", "a parameter must be float32 or float64", initial.dtype);
    super(takeAsLeaf(initial, true));
  }

  /** False freezes it: optimisers leave it alone, and no gradient is computed for it. */
  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(on: boolean) {
    if (on === this.#trainable) return;
    this.#trainable = on;
    this.current = takeAsLeaf(this.current, on);
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

/** A tensor of the model's state that is not trained. */
export class Buffer extends Slot {
  readonly optional: boolean;
  #next: Tensor | null = null;

  constructor(initial: Tensor, { optional = false }: BufferOptions = {}) {
    super(initial);
    this.optional = optional;
  }

  /** The values, including an update that is recorded but not yet computed. */
  override get tensor(): Tensor {
    return this.#next ?? super.tensor;
  }

  /** Records the value after this forward pass. The optimiser's step computes it together with everything else. */
  update(next: Tensor): void {
    if (!sameShape(next.shape, this.shape)) {
      throw new ShapeError("Buffer.update", "the update must have the shape of the buffer", {
        update: next.shape,
        buffer: this.shape,
      });
    }
    if (this.#next === null) pending.add(new WeakRef(this));
    this.#next = next;
  }

  /** Puts the computed update in place. */
  commit(): void {
    const next = this.#next;
    if (next === null) return;
    this.set(next);
  }

  /** Forgets the recorded update. */
  rollBack(): void {
    this.#next = null;
  }

  /** True between `update` and `commit` or `rollBack`. */
  get isPending(): boolean {
    return this.#next !== null;
  }

  override set(next: Tensor): void {
    this.rollBack();
    super.set(next);
  }

  protected get requiresGrad(): boolean {
    return false;
  }
}

/** Buffers with a recorded update, held weakly: a model that nobody uses any more can be collected. */
const pending = new Set<WeakRef<Buffer>>();

/** The buffers whose recorded update is not computed yet. */
export function pendingBuffers(): Buffer[] {
  const live: Buffer[] = [];
  for (const reference of pending) {
    const buffer = reference.deref();
    if (buffer?.isPending) live.push(buffer);
    else pending.delete(reference);
  }
  return live;
}
