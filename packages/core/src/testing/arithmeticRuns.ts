/**
 * @file How to run the golden cases of core's ops: PyTorch's operation and argument names to our calls. goldens/README.md tells
 * what the cases' tensors and attributes mean.
 */

import {
  abs,
  add,
  clamp,
  concat,
  div,
  equal,
  exp,
  expand,
  flip,
  floor,
  greater,
  greaterEqual,
  leakyRelu,
  less,
  lessEqual,
  log,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  neg,
  notEqual,
  pad,
  permute,
  pow,
  relu,
  reshape,
  sigmoid,
  sign,
  slice,
  sqrt,
  stack,
  sub,
  sum,
  tanh,
  transpose,
  where,
} from "../ops/index.ts";
import type { Tensor } from "../tensor.ts";
import type { GoldenRun, GoldenRuns } from "./golden.ts";

export const arithmeticRuns: GoldenRuns = {
  add: ({ a, b }) => add(a, b),
  sub: ({ a, b }) => sub(a, b),
  mul: ({ a, b }) => mul(a, b),
  div: ({ a, b }) => div(a, b),
  maximum: ({ a, b }) => maximum(a, b),
  minimum: ({ a, b }) => minimum(a, b),
  pow: ({ a, b, x }, { exponent }) => (x ? pow(x, exponent) : pow(a, b)),
  matmul: ({ a, b }) => matmul(a, b),

  eq: ({ a, b }) => equal(a, b),
  ne: ({ a, b }) => notEqual(a, b),
  lt: ({ a, b }) => less(a, b),
  le: ({ a, b }) => lessEqual(a, b),
  gt: ({ a, b }) => greater(a, b),
  ge: ({ a, b }) => greaterEqual(a, b),
  where: ({ condition, a, b }) => where(condition, a, b),

  neg: ({ x }) => neg(x),
  abs: ({ x }) => abs(x),
  sign: ({ x }) => sign(x),
  exp: ({ x }) => exp(x),
  log: ({ x }) => log(x),
  sqrt: ({ x }) => sqrt(x),
  floor: ({ x }) => floor(x),
  clamp: ({ x }, attrs) => clamp(x, { min: attrs.min ?? undefined, max: attrs.max ?? undefined }),
  relu: ({ x }) => relu(x),
  leaky_relu: ({ x }, { negative_slope }) => leakyRelu(x, { negativeSlope: negative_slope }),
  sigmoid: ({ x }) => sigmoid(x),
  tanh: ({ x }) => tanh(x),

  sum: reduction(sum),
  mean: reduction(mean),
  amax: reduction(max),
  amin: reduction(min),

  reshape: ({ x }, { shape }) => reshape(x, shape),
  permute: ({ x }, { dims }) => permute(x, dims),
  transpose: ({ x }, { dim0, dim1 }) => transpose(x, dim0, dim1),
  expand: ({ x }, { shape }) => expand(x, shape),
  slice: ({ x }, { starts, stops, steps }) =>
    slice(
      x,
      (starts as number[]).map((start, axis) => [start, stops[axis], steps[axis]]),
    ),
  concat: (inputs, { dim }) => concat(inOrder(inputs), dim),
  stack: (inputs, { dim }) => stack(inOrder(inputs), dim),
  pad: ({ x }, { padding, value }) => pad(x, padding, { value }),
  flip: ({ x }, { dims }) => flip(x, dims),
};

function reduction(reduce: typeof sum): GoldenRun {
  return ({ x }, { dim, keepdim }) => reduce(x, dim ?? undefined, { keepdim });
}

/** x0, x1, .. */
function inOrder(inputs: Readonly<Record<string, Tensor>>): Tensor[] {
  return Object.keys(inputs).map((_, k) => inputs[`x${k}`]);
}
