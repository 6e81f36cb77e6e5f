/**
 * @file What a tensor holds: values on the host, a buffer on a device, or nothing yet. A buffer has one owner and is freed once: when
 * its values are read, released or moved, or when nobody can reach the tensor any more.
 */

import type { DType } from "./dtype.ts";
import { GraphError } from "./errors.ts";
import { Tensor } from "./tensor.ts";

/** True if the values are there, on the host or on a device. */
export function isRealized(t: Tensor): boolean {
  return t.values !== null || t.held !== null;
}

/** The error for a graph that needs the values of `t`, which were released or moved. */
export function goneError(t: Tensor): GraphError {
  return new GraphError(`realize: a value that this graph needs is gone: ${t.gone ?? "internal: unknown reason"}`);
}

/**
 * A leaf with the values of a realized tensor. Values on the host are shared; those on a device move over, so `t` is gone
 * afterwards. What `t` was computed from can be collected then: optimisers turn their results into parameters with it.
 */
export function takeAsLeaf<D extends DType>(t: Tensor<D>, requiresGrad = false): Tensor<D> {
  if (!isRealized(t)) throw new GraphError("internal: takeAsLeaf: the tensor must be realized");
  const taken = new Tensor(t.shape, t.dtype, { values: t.values, requiresGrad });
  if (t.held) {
    collected.unregister(t);
    hold(taken, t.held);
    t.held = null;
    t.recipe = null;
    t.gone = "its values were moved into a parameter or buffer";
  }
  return taken;
}

/** Frees what a tensor held on a device once nobody can reach the tensor. */
const collected = new FinalizationRegistry<NonNullable<Tensor["held"]>>(({ device, buffer }) => device.free(buffer));

/** Frees the buffer of `t`, if it holds one. */
export function dropHeld(t: Tensor): void {
  if (!t.held) return;
  collected.unregister(t);
  t.held.device.free(t.held.buffer);
  t.held = null;
}

/** Gives `t` a buffer of its own. */
export function hold(t: Tensor, held: NonNullable<Tensor["held"]>): void {
  t.held = held;
  collected.register(t, held, t);
}
