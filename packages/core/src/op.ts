/**
 * @file What an op is: one record that holds its shape rule, its element type rule, its gradient and
 * its plain loops. All fields are required, so an op without one of them does not compile.
 */

import type { DType, Values } from "./dtype.ts";
import type { GpuPlan } from "./gpu/kernel.ts";
import type { GpuPlanner } from "./gpu/gpuPlanner.ts";
import type { Shape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/**
 * `Attrs` are the arguments that are not tensors, as plain data (numbers, strings, booleans, arrays of
 * them): devices key their compiled kernels by them and `explain` prints them.
 */
export interface Op<Attrs extends object = object> {
  readonly name: string;

  /** Shape of the output. Throws `ShapeError` or `ValueError` when the inputs do not fit. */
  shape(inputs: readonly Shape[], attrs: Attrs): Shape;

  /**
   * Element type of the output. `"float"`: the inputs share one floating type, which the output has.
   * `"any"`: the same with int32 allowed. A function where the rule is another.
   */
  readonly dtype: "float" | "any" | ((inputs: readonly DType[], attrs: Attrs) => DType);

  /**
   * Vector-Jacobian product: given `dy`, the gradient of a scalar with respect to the output `y`, one
   * gradient per input, `null` where there is none. It is made of ops: written once for all devices, and
   * itself differentiable. What nobody asks for is recorded but never run.
   */
  vjp(dy: Tensor, inputs: readonly Tensor[], attrs: Attrs, y: Tensor): readonly (Tensor | null)[];

  /**
   * The definition: plain loops over row-major arrays, from `inputs` into `y`, which holds zeros. JavaScript computes
   * in float64; storing into `y` rounds to the output's type. Every other kernel is tested against these.
   */
  loops(y: Values, inputs: readonly Values[], info: OpInfo<Attrs>): void;

  /**
   * The kernels that compute it on a GPU, in float32. `integers` holds the values of the int32 inputs, which are always on the host; `planner`
   * composes steps.
   * Optional: an op without them runs its loops there too.
   */
  gpu?(info: OpInfo<Attrs>, integers: readonly (Int32Array | null)[], planner: GpuPlanner): GpuPlan;

  /**
   * Multiply-accumulates of one run: the products of two elements, or of an element and a weight, that the op's formula adds up. It depends on
   * the shapes alone: windows count in full where they reach over the border, and whatever a kernel saves counts, too.
   * Optional: none where it is absent, in element-wise ops, layout and sums.
   */
  macs?(info: OpInfo<Attrs>): number;
}

/** What a kernel knows besides the values. */
export interface OpInfo<Attrs extends object = object> {
  readonly attrs: Attrs;
  readonly inShapes: readonly Shape[];
  readonly outShape: Shape;
  readonly dtype: DType;
}
