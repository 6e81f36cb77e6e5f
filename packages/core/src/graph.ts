/**
 * @file The one graph walk that realize, autograd and explain share.
 *
 * Tensors are numbered as they are made, and an op is made after its inputs, so ascending numbers are
 * an order in which everything can be computed. It is also the order of the program's lines: a weight's
 * gradient is computed next to the activation it needs, which keeps few activations alive.
 */

import type { Tensor } from "./tensor.ts";

/** Every tensor that `roots` depend on, inputs before users. `stop` cuts the walk short and is left out. */
export function dependencies(roots: readonly Tensor[], stop: (t: Tensor) => boolean = () => false): Tensor[] {
  const found = new Set<Tensor>();
  // An explicit stack: a long training graph would overflow a recursive walk.
  const stack: Tensor[] = [...roots];
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (found.has(t) || stop(t)) continue;
    found.add(t);
    if (t.recipe) for (const input of t.recipe.inputs) stack.push(input);
  }
  return [...found].sort((a, b) => a.id - b.id);
}
