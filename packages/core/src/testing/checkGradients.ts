/**
 * @file Gradient checks: autograd against finite differences, along random directions.
 *
 *     (w . f(x + h v) - w . f(x - h v)) / 2h  =  v . (wᵀ J)        w, v random
 *
 * Both sides are scalars, so a check costs two evaluations whatever the sizes are, and a wrong entry of the Jacobian shows up
 * unless the random weights happen to cancel it. Second order checks the gradient of x -> v . (wᵀ J(x)) in the same way.
 *
 * Source: the directional check of HIPS/autograd's test_util.py.
 */

import "../methods.ts";
import { grad } from "../autograd.ts";
import { withDevice, ReferenceDevice } from "../device.ts";
import { GraphError } from "../errors.ts";
import { add } from "../ops/add.ts";
import { mul } from "../ops/mul.ts";
import { sum } from "../ops/sum.ts";
import { Random } from "../random.ts";
import { readValues } from "../realize.ts";
import { leaf } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { differenceStep, gradientTolerance } from "./tolerance.ts";

export interface GradientCheckOptions {
  /** 1: the gradients; 2: the gradients of the gradients as well. Default 1. */
  readonly order?: 1 | 2;
  /** Seed of the directions. Default 0. */
  readonly seed?: number;
  /** Which inputs to differentiate by. Default: those that are floating. */
  readonly wrt?: readonly number[];
}

/** What one check compared, for reports. */
export interface GradientCheck {
  readonly order: 1 | 2;
  readonly input: number;
  readonly autograd: number;
  readonly differences: number;
  /** |autograd - differences|, relative to the larger of them and 1. */
  readonly error: number;
}

/**
 * Throws unless autograd's gradients of `f` at `xs` agree with finite differences. Runs on the reference device.
 *
 * @param f - made of ops; smooth within `differenceStep` of `xs`.
 * @param xs - float64 leaves (float32 has too few digits for differences); int32 ones are passed through.
 * @throws {Error} that names the input, both values and the error.
 * @throws {GraphError} when there is no input to differentiate by, one that is not float64, or nothing to compare.
 *
 * @example
 * ```ts
 * const x = tensor([0.5, -1.5], [2], { dtype: "float64" });
 * (await checkGradients((x) => x.mul(x), [x], { order: 2 })).length; // 2
 * ```
 */
export async function checkGradients(
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  options: GradientCheckOptions = {},
): Promise<GradientCheck[]> {
  const checks = await compareGradients(f, xs, options);
  for (const { order, input, autograd, differences, error } of checks) {
    if (!(error <= gradientTolerance)) {
      throw new Error(
        `gradient of input ${input}, order ${order}: autograd says ${autograd}, finite differences say ${differences} ` +
          `(error ${error.toExponential(1)} > ${gradientTolerance})`,
      );
    }
  }
  return checks;
}

/** The comparisons of `checkGradients`, without the verdict. */
export async function compareGradients(
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  { order = 1, seed = 0, wrt = xs.flatMap((x, i) => (x.dtype === "int32" ? [] : [i])) }: GradientCheckOptions = {},
): Promise<GradientCheck[]> {
  if (wrt.length === 0)
    throw new GraphError("checkGradients: at least one input must be floating and in wrt, got none");
  const shallow = xs.find((x, i) => wrt.includes(i) && x.dtype !== "float64");
  if (shallow)
    throw new GraphError(`checkGradients: inputs must be float64, got ${shallow.dtype}; use x.cast("float64")`);
  return withDevice(new ReferenceDevice(), async () => {
    const random = new Random(seed);
    const draw = (x: Tensor): Tensor => random.uniform(x.shape, { low: -1, high: 1, dtype: "float64" });
    const weights = draw(f(...xs));
    if (weights.size === 0 || wrt.some((i) => xs[i].size === 0))
      throw new GraphError("checkGradients: inputs and output must have elements, got none");
    const directions = xs.map(draw);
    const scalar = (...at: Tensor[]): Tensor => sum(mul(f(...at), weights));
    const slope = (...at: Tensor[]): Tensor => {
      const gradients = grad(
        scalar(...at),
        wrt.map((i) => at[i]),
        { allowUnused: true },
      );
      return gradients.map((dx, k) => sum(mul(dx, directions[wrt[k]]))).reduce(add);
    };
    const first = await compareOne(scalar, xs, wrt, draw, 1);
    return order === 1 ? first : [...first, ...(await compareOne(slope, xs, wrt, draw, 2))];
  });
}

async function compareOne(
  scalar: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  wrt: readonly number[],
  draw: (x: Tensor) => Tensor,
  order: 1 | 2,
): Promise<GradientCheck[]> {
  const gradients = grad(
    scalar(...xs),
    wrt.map((i) => xs[i]),
    { allowUnused: true },
  );
  const checks: GradientCheck[] = [];
  for (const [k, input] of wrt.entries()) {
    const direction = await readValues(draw(xs[input]));
    const at = await readValues(xs[input]);
    const moved = async (step: number): Promise<number> => {
      const values = Float64Array.from(at, (value, i) => value + step * direction[i]);
      const shifted = xs.map((x, i) => (i === input ? leaf(x.shape, "float64", values) : x));
      return scalar(...shifted).item();
    };
    const differences = ((await moved(differenceStep)) - (await moved(-differenceStep))) / (2 * differenceStep);
    const autograd = dot(await readValues(gradients[k]), direction);
    const error = Math.abs(autograd - differences) / Math.max(1, Math.abs(autograd), Math.abs(differences));
    checks.push({ order, input, autograd, differences, error });
  }
  return checks;
}

/** Σ a b, in float64. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length)
    throw new Error(`dot: both sides must have as many elements, got ${a.length} and ${b.length}`);
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}
