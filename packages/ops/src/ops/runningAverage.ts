/**
 * @file Running average: an old average, moved towards a new value, or towards its square.
 *
 *     y = decay a + (1 - decay) b^power        da = decay dy        db = (1 - decay) power b^(power - 1) dy        power 1 or 2
 *
 * Adam keeps two of them for every parameter: of its gradient, and of the gradient's square.
 *
 * Source: Kingma and Ba, "Adam", 2015, arXiv:1412.6980, algorithm 1.
 */

import {
  apply,
  checkOptions,
  elementwise,
  mul,
  type Op,
  sameShape,
  ShapeError,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

interface Attrs {
  readonly decay: number;
  readonly power: 1 | 2;
}

const runningAverageOptions = { squared: 0 } as const;

/**
 * Moves an average towards a new value.
 *
 * @param average - any shape, floating.
 * @param value - the same shape.
 * @param decay - the part of the old average that stays, in [0, 1].
 * @param options.squared - whether the average is of the squares. Default false.
 * @returns the same shape.
 * @throws {ShapeError} when the shapes differ.
 * @throws {ValueError} when `decay` is out of its range.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * await runningAverage(tensor([4]), tensor([8]), 0.75).data(); // [5]
 * await runningAverage(tensor([4]), tensor([8]), 0.75, { squared: true }).data(); // [19]
 * ```
 */
export function runningAverage(
  average: Tensor,
  value: Tensor,
  decay: number,
  options?: { readonly squared?: boolean },
): Tensor {
  const call = "runningAverage(average, value, decay)";
  const { squared = false } = checkOptions(call, runningAverageOptions, options, arguments);
  return apply(runningAverageOp, [average, value], { decay, power: squared ? 2 : 1 });
}

export const runningAverageOp: Op<Attrs> = {
  name: "runningAverage",

  shape([average, value], { decay }) {
    if (!sameShape(average, value)) {
      throw new ShapeError("runningAverage", "average and value must have one shape", { average, value });
    }
    if (!(decay >= 0 && decay <= 1)) throw new ValueError("runningAverage", "decay must be in [0, 1]", String(decay));
    return average;
  },

  dtype: "float",

  vjp(dy, [, value], { decay, power }) {
    const slope = power === 1 ? mul(dy, 1 - decay) : mul(mul(dy, value), 2 * (1 - decay));
    return [mul(dy, decay), slope];
  },

  loops(y, [average, value], { attrs: { decay, power } }) {
    for (let i = 0; i < y.length; i++) {
      const next = power === 1 ? value[i] : value[i] * value[i];
      y[i] = decay * average[i] + (1 - decay) * next;
    }
  },

  gpu: (info, ...rest) => (info.attrs.power === 1 ? ofValues : ofSquares)(info, ...rest),
};

const floats = ({ decay }: Attrs): readonly number[] => [decay, 1 - decay];
const ofValues = elementwise<Attrs>(runningAverageKernel, { floats });
const ofSquares = elementwise<Attrs>(runningSquareKernel, { floats });

function runningAverageKernel(average: number, value: number, decay: number, rest: number): number {
  return decay * average + rest * value;
}

function runningSquareKernel(average: number, value: number, decay: number, rest: number): number {
  return decay * average + rest * value * value;
}
