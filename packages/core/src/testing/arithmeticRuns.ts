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
import type { GoldenInputs } from "./goldenAttrs.ts";
import type { GoldenRun, GoldenRuns } from "./golden.ts";

export const arithmeticRuns: GoldenRuns = {
  add: ({ a, b }) => add(a, b),
  sub: ({ a, b }) => sub(a, b),
  mul: ({ a, b }) => mul(a, b),
  div: ({ a, b }) => div(a, b),
  maximum: ({ a, b }) => maximum(a, b),
  minimum: ({ a, b }) => minimum(a, b),
  pow: (inputs, attrs) => ("x" in inputs ? pow(inputs.x, attrs.number("exponent")) : pow(inputs.a, inputs.b)),
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
  clamp: ({ x }, attrs) => clamp(x, { min: attrs.number("min", undefined), max: attrs.number("max", undefined) }),
  relu: ({ x }) => relu(x),
  leaky_relu: ({ x }, attrs) => leakyRelu(x, { negativeSlope: attrs.number("negative_slope") }),
  sigmoid: ({ x }) => sigmoid(x),
  tanh: ({ x }) => tanh(x),

  sum: reduction(sum),
  mean: reduction(mean),
  amax: reduction(max),
  amin: reduction(min),

  reshape: ({ x }, attrs) => reshape(x, attrs.numbers("shape")),
  permute: ({ x }, attrs) => permute(x, attrs.numbers("dims")),
  transpose: ({ x }, attrs) => transpose(x, attrs.number("dim0"), attrs.number("dim1")),
  expand: ({ x }, attrs) => expand(x, attrs.numbers("shape")),
  slice({ x }, attrs) {
    const [starts, stops, steps] = ["starts", "stops", "steps"].map((name) => attrs.numbers(name));
    return slice(
      x,
      starts.map((start, axis) => [start, stops[axis], steps[axis]]),
    );
  },
  concat: (inputs, attrs) => concat(inOrder(inputs), attrs.number("dim")),
  stack: (inputs, attrs) => stack(inOrder(inputs), attrs.number("dim")),
  pad: ({ x }, attrs) => pad(x, attrs.pairs("padding"), { value: attrs.number("value") }),
  flip: ({ x }, attrs) => flip(x, attrs.numbers("dims")),
};

function reduction(reduce: typeof sum): GoldenRun {
  return ({ x }, attrs) => reduce(x, attrs.numbers("dim", undefined), { keepdim: attrs.boolean("keepdim") });
}

/** x0, x1, .. */
function inOrder(inputs: GoldenInputs): Tensor[] {
  return Object.keys(inputs).map((_, k) => inputs[`x${k}`]);
}
