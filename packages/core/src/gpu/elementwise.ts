/** @file The GPU plan of element-wise ops: one step around a function of numbers. */

import { checkOptions } from "../checkOptions.ts";
import type { OpInfo } from "../op.ts";
import type { GpuPlan, ScalarFunction } from "./kernel.ts";
import type { GpuPlanner } from "./gpuPlanner.ts";

export interface ElementwiseOptions<Attrs extends object> {
  readonly floats?: (attrs: Attrs) => readonly number[];
  readonly functions?: readonly ScalarFunction[];
}

const elementwiseOptions = { floats: 0, functions: 0 } as const;

/**
 * The kernel of `y[i] = f(a[i], b[i], ..)`, broadcasting.
 *
 * @param f - a function declaration that keeps to the rules for kernels. Its first parameters are the elements of the inputs, and the
 *   further ones what `floats` gives.
 * @param options.floats - numbers from the attributes. Where one is not finite in float32, the loops compute.
 * @param options.functions - functions of numbers that `f` calls.
 */
export function elementwise<Attrs extends object = object>(
  f: ScalarFunction,
  options?: ElementwiseOptions<Attrs>,
): (info: OpInfo<Attrs>, integers: unknown, planner: GpuPlanner) => GpuPlan {
  const checked = checkOptions("elementwise(f)", elementwiseOptions, options, arguments);
  return (info, _, { elementwisePlan }) => elementwisePlan(f, info, checked);
}
