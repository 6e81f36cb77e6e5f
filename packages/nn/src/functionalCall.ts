/**
 * @file A module as a function of its parameters: for gradient checks, and for gradients with respect to given tensors.
 *
 * Source: torch.func.functional_call.
 */

import { checkTensor, sameShape, ShapeError, type Tensor, ValueError } from "@gridgrad/core";

import { checkModule } from "./checkModule.ts";
import type { Module } from "./module.ts";

/**
 * Runs `body` while `tensors` stand in for the parameters and buffers of `module` of these names.
 *
 * @param tensors - by the names of `stateDict`, each of the shape of what it replaces.
 * @param body - records the ops, such as `() => module.forward(x)`. It must not wait for anything: afterwards the module is
 *   its old self.
 * @returns what `body` returns.
 * @throws {ValueError} when the module has nothing of a name.
 * @throws {ShapeError} when a tensor has another shape than what it stands in for.
 *
 * @example
 * ```ts
 * const layer = new Linear(2, 1, { bias: false });
 * const w = tensor([[3, 4]]);
 * const y = functionalCall(layer, { weight: w }, () => layer.forward(tensor([[1, 10]])));
 * await y.item(); // 43
 * ```
 */
export function functionalCall<T>(module: Module, tensors: Readonly<Record<string, Tensor>>, body: () => T): T {
  checkModule("functionalCall", module);
  for (const [name, t] of Object.entries(tensors)) checkTensor("functionalCall", name, t);
  const slots = module.namedSlots();
  for (const [name, { shape }] of Object.entries(tensors)) {
    const slot = slots.get(name);
    if (!slot)
      throw new ValueError("functionalCall", `tensors must have names of ${[...slots.keys()].join(", ")}`, name);
    if (!sameShape(shape, slot.shape))
      throw new ShapeError("functionalCall", "tensors must have the shapes of the module's", {
        [name]: shape,
        "the module's": slot.shape,
      });
  }
  const restore: (() => void)[] = [];
  try {
    // Buffers without a substitute, too: updates that `body` records are none of the module's.
    for (const [name, slot] of slots)
      restore.push(slot.substitute(Object.hasOwn(tensors, name) ? tensors[name] : null));
    return body();
  } finally {
    for (const putBack of restore.reverse()) putBack(); // reversed, as a shared slot has several names
  }
}
