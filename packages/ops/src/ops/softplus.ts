/**
 * @file Softplus: a smooth ramp.
 *
 *     y = ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)        dx = dy sigmoid(x)
 *
 * The second form neither overflows nor loses the digits of a small e^x. softplus(-x) is minus the log of sigmoid(x).
 */

import { apply, elementwise, logOfRatioKernel, mul, type Op, sigmoid, type Tensor } from "@gridgrad/core";

export function softplus(x: Tensor): Tensor {
  return apply(softplusOp, [x], {});
}

export const softplusOp: Op = {
  name: "softplus",
  shape: ([x]) => x,
  dtype: "float",
  vjp: (dy, [x]) => [mul(dy, sigmoid(x))],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = Math.max(x[i], 0) + Math.log1p(Math.exp(-Math.abs(x[i])));
  },
  gpu: elementwise(softplusKernel, { functions: [logOfRatioKernel] }),
};

function softplusKernel(x: number): number {
  const e = Math.exp(-Math.abs(x));
  const rest = logOfRatioKernel(e / (2 + e)); // ln(1 + e)
  if (x > 0) {
    return x + rest;
  }
  if (x <= 0) {
    return rest;
  }
  return x; // NaN
}
