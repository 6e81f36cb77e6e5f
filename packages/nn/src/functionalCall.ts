/**
 * @file A module as a function of its parameters: for gradient checks, and for gradients with respect to given tensors.
 *
 * Source: torch.func.functional_call.
 */

import { type Tensor, ValueError } from "@gridgrad/core";

import type { Module } from "./module.ts";

/**
 * Runs `body` while `tensors` stand in for the parameters and buffers of `module` of these names.
 *
 * @param tensors - by the names of `stateDict`, each of the shape of what it replaces.
 * @param body - records the ops, such as `() => module.forward(x)`. It must not wait for anything: afterwards the module is
 *   its old self.
 * @returns what `body` returns.
 * @throws {ValueError} when the module has nothing of a name.
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
  const slots = new Map([...module.namedParameters(), ...module.namedBuffers()]);
  const taken = Object.keys(tensors).map((name) => {
    const slot = slots.get(name);
    if (!slot) throw new ValueError("functionalCall", `tensors must have names of ${[...slots.keys()].join(", ")}`, name);
    return { slot, tensor: tensors[name] };
  });
  try {
    for (const { slot, tensor } of taken) slot.substitute(tensor);
    return body();
  } finally {
    for (const { slot } of taken) slot.substitute(null);
  }
}
