/**
 * @file One run of one graph: inputs before users, one kernel per tensor, nothing fused.
 *
 * Memory rule: whatever a run puts on the device and was not asked for is freed right after its last use, also when a kernel
 * throws. Copies of host values live for one run.
 */

import type { Device, DeviceBuffer } from "./device.ts";
import { eager } from "./eager.ts";
import { dependencies } from "./graph.ts";
import { hold, goneError, isRealized } from "./held.ts";
import type { Tensor } from "./tensor.ts";

/** The schedule, and the buffers that this run has made and not yet freed. */
export class Run {
  readonly schedule: readonly Tensor[];
  readonly #device: Device;
  readonly #targets: ReadonlySet<Tensor>;
  readonly #usesLeft = new Map<Tensor, number>();
  readonly #buffers = new Map<Tensor, DeviceBuffer>();
  /** What inputs hold on devices as the run starts: its tensors may be released, or their values moved, while it runs. */
  readonly #held = new Map<Tensor, NonNullable<Tensor["held"]>>();

  constructor(targets: readonly Tensor[], device: Device) {
    this.#device = device;
    this.#targets = new Set(targets);
    this.schedule = dependencies(targets, isRealized);
    for (const t of this.schedule) {
      if (!t.recipe) throw goneError(t);
      for (const input of t.recipe.inputs) this.#usesLeft.set(input, (this.#usesLeft.get(input) ?? 0) + 1);
    }
    for (const input of this.#usesLeft.keys()) {
      if (input.gone) throw goneError(input);
      if (input.held) this.#held.set(input, input.held);
    }
  }

  has(t: Tensor): boolean {
    return this.#buffers.has(t) || this.#held.get(t)?.device === this.#device;
  }

  put(t: Tensor, buffer: DeviceBuffer): void {
    this.#buffers.set(t, buffer);
  }

  /** A copy of a leaf on this device, from the host or by way of the host from another device. */
  async upload(t: Tensor): Promise<DeviceBuffer> {
    if (t.values) return this.#device.upload(t.values);
    const { device, buffer } = this.#held.get(t)!;
    return this.#device.upload(await device.download(buffer));
  }

  kernel(t: Tensor): DeviceBuffer | Promise<DeviceBuffer> {
    const { op, inputs, attrs } = t.recipe!;
    const buffers = inputs.map((input) => this.#buffers.get(input) ?? this.#held.get(input)!.buffer);
    const inShapes = inputs.map((input) => input.shape);
    return this.#device.run(op, buffers, { attrs, inShapes, outShape: t.shape, dtype: t.dtype });
  }

  freeLastUses(t: Tensor): void {
    for (const input of t.recipe!.inputs) {
      const left = this.#usesLeft.get(input)! - 1;
      this.#usesLeft.set(input, left);
      const buffer = left === 0 && !this.#targets.has(input) ? this.#buffers.get(input) : undefined;
      if (buffer) {
        this.#device.free(buffer);
        this.#buffers.delete(input);
      }
    }
  }

  /** Hands the results to their tensors. */
  keepTargets(): void {
    for (const t of this.#targets) {
      const buffer = this.#buffers.get(t);
      if (!buffer || isRealized(t)) continue;
      hold(t, { device: this.#device, buffer });
      // A program asks for gradients before it realizes, except through leaves with requiresGrad. In eager mode it had no chance to.
      if (!t.tracked && !eager()) t.recipe = null;
      this.#buffers.delete(t);
    }
  }

  freeAll(): void {
    for (const buffer of this.#buffers.values()) this.#device.free(buffer);
  }
}
