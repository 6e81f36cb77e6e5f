/**
 * @file Reverse-mode differentiation. Walks the graph from `loss` back to `wrt` and records, with
 * ordinary ops, the tensors that hold the gradients. It computes nothing: `realize` does. What it records
 * can be differentiated again.
 *
 * Source: Griewank and Walther, Evaluating Derivatives, 2nd ed. 2008, chapter 3.
 */

import { checkVjp } from "./checkOp.ts";
import { checkOptions, type OptionNames } from "./checkOptions.ts";
import { checkTensor, checkTensors } from "./checkTensor.ts";
import { isFloat } from "./dtype.ts";
import { DTypeError, GraphError, ShapeError, showValue, ValueError } from "./errors.ts";
import { dependencies } from "./graph.ts";
import { add } from "./ops/add.ts";
import { formatShape, sameShape } from "./shape.ts";
import { ones, zeros } from "./leaf.ts";
import type { Tensor } from "./tensor.ts";

export interface GradOptions {
  /** Weights of the elements of `loss`, of its shape; needed unless `loss` is a scalar. */
  readonly gradOutput?: Tensor;
  /** Give zeros for an entry of `wrt` that `loss` does not depend on, instead of an error. Default false. */
  readonly allowUnused?: boolean;
}

const gradOptions: OptionNames<GradOptions> = { gradOutput: 1, allowUnused: 0 };

/**
 * d(loss)/d(wrt), one tensor per entry of `wrt`, each of that entry's shape.
 *
 * @param loss - a scalar, or any shape with `gradOutput`.
 * @param wrt - leaves or intermediate results.
 * @throws {ShapeError} when `loss` is not a scalar and there is no `gradOutput` of its shape.
 * @throws {DTypeError} when `loss` is int32, or `gradOutput` is of another element type.
 * @throws {GraphError} when `loss` does not depend on an entry of `wrt`.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 3]);
 * const [dx] = grad(x.mul(x).sum(), [x]);
 * await dx.data(); // [2, 4, 6]
 * ```
 */
export function grad(loss: Tensor, wrt: readonly Tensor[], options?: GradOptions): Tensor[] {
  const { gradOutput, allowUnused = false } = checkOptions("grad(loss, wrt)", gradOptions, options, arguments);
  checkTensors("grad", { loss }, { gradOutput });
  if (!Array.isArray(wrt)) throw new ValueError("grad", "wrt must be an array of tensors", showValue(wrt));
  wrt.forEach((x, i) => checkTensor("grad", `wrt[${i}]`, x));
  if (!gradOutput && loss.shape.length !== 0) {
    throw new ShapeError("grad", "loss must be a scalar (sum it, or give gradOutput)", { loss: loss.shape });
  }
  if (gradOutput && !sameShape(gradOutput.shape, loss.shape)) {
    throw new ShapeError("grad", "gradOutput must have the shape of loss", {
      gradOutput: gradOutput.shape,
      loss: loss.shape,
    });
  }
  if (!isFloat(loss.dtype)) throw new DTypeError("grad", "loss must be floating", loss.dtype);
  if (gradOutput && gradOutput.dtype !== loss.dtype) {
    throw new DTypeError("grad", `gradOutput must be ${loss.dtype} as loss is (cast converts)`, gradOutput.dtype);
  }

  return gradientsOf(loss, wrt, gradOutput).map((dx, i) => {
    if (dx) return dx;
    const x = wrt[i];
    if (allowUnused) return zeros(x.shape, { dtype: isFloat(x.dtype) ? x.dtype : "float32" });
    throw new GraphError(
      `grad: loss must depend on wrt[${i}] (shape ${formatShape(x.shape)}), got no path with a gradient between them. ` +
        "A result that was read or realized forgets how it was made: ask for the gradient before that, " +
        "or make the leaf with requiresGrad. { allowUnused: true } gives zeros instead.",
    );
  });
}

/** The gradients, `null` for an entry of `wrt` on which `loss` does not depend. The walk behind `grad` and the optimisers. */
export function gradientsOf(loss: Tensor, wrt: readonly Tensor[], gradOutput?: Tensor): (Tensor | null)[] {
  // Only what lies between `wrt` and `loss` needs a gradient.
  const wanted = new Set(wrt);
  const order = dependencies([loss]);
  const between = new Set<Tensor>();
  for (const t of order) {
    if (wanted.has(t) || t.recipe?.inputs.some((input) => between.has(input))) between.add(t);
  }

  const gradOf = new Map<Tensor, Tensor>([[loss, gradOutput ?? ones([], { dtype: loss.dtype })]]);
  for (const y of order.reverse()) {
    const dy = gradOf.get(y);
    if (!dy || !y.recipe || !between.has(y)) continue;
    const { op, inputs, attrs } = y.recipe;
    const gradients = op.vjp(dy, inputs, attrs, y);
    checkVjp(op.name, gradients, inputs);
    gradients.forEach((dx, i) => {
      const x = inputs[i];
      if (!dx || !between.has(x)) return;
      const sum = gradOf.get(x);
      gradOf.set(x, sum ? add(sum, dx) : dx);
    });
  }

  return wrt.map((x) => (between.has(x) ? (gradOf.get(x) ?? null) : null));
}

/** Adds the gradient of `loss` to `.grad` of every leaf made with `requiresGrad`. See `Tensor.backward`. */
export function backward(loss: Tensor): void {
  const leaves = dependencies([loss]).filter((t) => t.requiresGrad);
  if (leaves.length === 0) {
    throw new GraphError("backward: loss must depend on a tensor made with { requiresGrad: true }, got none");
  }
  grad(loss, leaves, { allowUnused: true }).forEach((dx, i) => {
    const leaf = leaves[i];
    leaf.grad = leaf.grad ? add(leaf.grad, dx) : dx;
  });
}
