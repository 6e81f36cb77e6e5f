/**
 * @file The step of Adam, from the averages that runningAverage keeps:
 *
 *     y = p - rate m / (√v / correction + eps)
 *
 * `rate` is lr / (1 - β1^t) and `correction` √(1 - β2^t): what the averages m and v lack as long as few steps t are behind them. Both are
 * tensors, since they change from step to step and attributes are part of a graph's structure.
 *
 * Source: Kingma and Ba, "Adam", 2015, arXiv:1412.6980, section 2; torch.optim.Adam.
 */

import {
  add,
  apply,
  div,
  elementwise,
  gradientsOf,
  mul,
  type Op,
  sameShape,
  ShapeError,
  sqrt,
  sub,
  type Tensor,
  ValueError,
} from "@gridgrad/core";

/**
 * Moves a parameter against its averaged gradient.
 *
 * @param p - the parameter, any shape, floating.
 * @param m - the average of its gradients, the same shape.
 * @param v - the average of their squares, the same shape.
 * @param rate - a scalar, the step for an average of one deviation.
 * @param correction - a scalar, by which √v is divided.
 * @param eps - added to the root, at least 0.
 * @returns the same shape.
 * @throws {ShapeError} when the shapes differ, or `rate` or `correction` is not a scalar.
 * @throws {ValueError} when `eps` is negative.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const [p, m, v] = [tensor([1, 1]), tensor([6, -3]), tensor([9, 9])];
 * await adamUpdate(p, m, v, tensor(0.25), tensor(1), 0).data(); // [0.5, 1.25]
 * ```
 */
export function adamUpdate(p: Tensor, m: Tensor, v: Tensor, rate: Tensor, correction: Tensor, eps: number): Tensor {
  return apply(adamUpdateOp, [p, m, v, rate, correction], { eps });
}

export const adamUpdateOp: Op<{ readonly eps: number }> = {
  name: "adamUpdate",

  shape([p, m, v, rate, correction], { eps }) {
    if (!sameShape(p, m) || !sameShape(p, v)) {
      throw new ShapeError("adamUpdate", "p, m and v must have one shape", { p, m, v });
    }
    if (rate.length + correction.length > 0) {
      throw new ShapeError("adamUpdate", "rate and correction must be scalars", { rate, correction });
    }
    if (!(eps >= 0)) throw new ValueError("adamUpdate", "eps must be a number of at least 0", String(eps));
    return p;
  },

  dtype: "float",

  // The gradient of the same in single ops. Nobody trains through it fast; it is there so that nothing ends here.
  vjp(dy, [p, m, v, rate, correction], { eps }) {
    const scaled = div(m, add(div(sqrt(v), correction), eps));
    return gradientsOf(sub(p, mul(scaled, rate)), [p, m, v, rate, correction], dy);
  },

  loops(y, [p, m, v, [rate], [correction]], { attrs: { eps } }) {
    for (let i = 0; i < y.length; i++) y[i] = p[i] - (rate * m[i]) / (Math.sqrt(v[i]) / correction + eps);
  },

  gpu: elementwise(adamUpdateKernel, { floats: ({ eps }) => [eps] }),
};

function adamUpdateKernel(p: number, m: number, v: number, rate: number, correction: number, eps: number): number {
  return p - (rate * m) / (Math.sqrt(v) / correction + eps);
}
