/** @file Legal calls of core's ops: how to draw one of each. */

import * as core from "@gridgrad/core";
import type { Range, Tensor } from "@gridgrad/core";

import { type CaseDraw, type DrawCase, type Input, opCase } from "./opCase.ts";

type Operand = Tensor | number;

/** Two operands that broadcast; one of them is a plain number now and then. */
function binary(op: (a: Operand, b: Operand) => Tensor, { integers = true } = {}): DrawCase {
  return (d) => {
    const [a, b] = d.broadcasting();
    const allIntegers = integers && d.once(6);
    const input = (shape: number[]): Input => (allIntegers ? d.int32(shape) : d.float(shape));
    if (d.once(6)) {
      const number = allIntegers ? d.int(-3, 3) : d.int(-128, 128) / 64;
      const first = d.once();
      return opCase([input(a)], { number, first }, ([x], args) =>
        args.first ? op(args.number, x) : op(x, args.number),
      );
    }
    return opCase([input(a), input(b)], {}, ([x, y]) => op(x, y));
  };
}

function unary(op: (x: Tensor) => Tensor, { integers = false } = {}): DrawCase {
  return (d) => {
    const shape = d.shape();
    return opCase([integers ? d.any(shape) : d.float(shape)], {}, ([x]) => op(x));
  };
}

function reduction(op: typeof core.sum, { integers = true, empty = true } = {}): DrawCase {
  return (d) => {
    const shape = empty ? d.shape() : d.shape().map((dim) => Math.max(1, dim));
    const dim = d.pick([() => undefined, () => d.axes(shape), () => (shape.length > 0 ? d.axis(shape) : undefined)])();
    const args = { dim, keepdim: d.once() };
    const input = integers ? d.any(shape) : d.float(shape);
    return opCase([input], args, ([x], { dim, keepdim }) => op(x, dim, { keepdim }));
  };
}

/** Tensors of one shape but along an axis. */
function pieces(d: CaseDraw, shape: readonly number[], along: number | null): Input[] {
  const allIntegers = d.once(6);
  return Array.from({ length: d.int(1, 4) }, () => {
    const own = shape.map((dim, axis) => (axis === along ? d.dim() : dim));
    return allIntegers ? d.int32(own) : d.float(own);
  });
}

export const arithmeticCases: Readonly<Record<string, DrawCase>> = {
  add: binary(core.add),
  sub: binary(core.sub),
  mul: binary(core.mul),
  div: binary(core.div, { integers: false }),
  pow: binary(core.pow, { integers: false }),
  maximum: binary(core.maximum),
  minimum: binary(core.minimum),
  equal: binary(core.equal),
  notEqual: binary(core.notEqual),
  less: binary(core.less),
  lessEqual: binary(core.lessEqual),
  greater: binary(core.greater),
  greaterEqual: binary(core.greaterEqual),

  where: (d) => {
    const [condition, a, b] = d.broadcasting(3);
    return opCase([d.any(condition), d.float(a), d.float(b)], {}, ([c, x, y]) => core.where(c, x, y));
  },

  abs: unary(core.abs, { integers: true }),
  neg: unary(core.neg, { integers: true }),
  relu: unary(core.relu, { integers: true }),
  sign: unary(core.sign, { integers: true }),
  exp: unary(core.exp),
  floor: unary(core.floor),
  log: unary(core.log),
  sigmoid: unary(core.sigmoid),
  sqrt: unary(core.sqrt),
  tanh: unary(core.tanh),

  cast: (d) =>
    opCase([d.any(d.shape())], { dtype: d.pick(["float32", "int32"] as const) }, ([x], { dtype }) =>
      core.cast(x, dtype),
    ),

  clamp: (d) => {
    const low = d.int(-96, 64) / 64;
    const limits = d.pick([{ min: low }, { max: low }, { min: low, max: low + d.int(0, 64) / 64 }, { min: -Infinity }]);
    return opCase([d.float(d.shape())], limits, ([x], args) => core.clamp(x, args));
  },

  leakyRelu: (d) => {
    const args = d.once() ? { negativeSlope: d.int(-64, 64) / 64 } : {};
    return opCase([d.float(d.shape())], args, ([x], args) => core.leakyRelu(x, args));
  },

  sum: reduction(core.sum),
  mean: reduction(core.mean, { integers: false }),
  max: reduction(core.max, { empty: false }),
  min: reduction(core.min, { empty: false }),

  matmul: (d) => {
    const [M, K, N] = d.large ? [d.int(1, 48), d.int(1, 48), d.int(1, 48)] : [d.dim(), d.dim(), d.dim()];
    const [a, b] = d.batches();
    const isRow = d.once(6);
    const isColumn = d.once(6);
    const inputs = [d.float(isRow ? [K] : [...a, M, K]), d.float(isColumn ? [K] : [...b, K, N])];
    return opCase(inputs, {}, ([x, y]) => core.matmul(x, y));
  },

  reshape: (d) => {
    const shape = d.shape(0, 4);
    const wanted = d.once() ? [...shape].reverse() : [core.size(shape)];
    if (d.once(3) && wanted.every((dim) => dim > 0) && wanted.length > 0) wanted[d.int(0, wanted.length - 1)] = -1;
    return opCase([d.any(shape)], { shape: wanted }, ([x], { shape }) => core.reshape(x, shape));
  },

  permute: (d) => {
    const shape = d.shape(0, 4);
    const left = shape.map((_, axis) => axis);
    const dims = shape.map(() => {
      const [axis] = left.splice(d.int(0, left.length - 1), 1);
      return d.once(4) ? axis - shape.length : axis;
    });
    return opCase([d.any(shape)], { dims }, ([x], { dims }) => core.permute(x, dims));
  },

  transpose: (d) => {
    const shape = d.shape(1, 4);
    const args = { dim0: d.axis(shape), dim1: d.axis(shape) };
    return opCase([d.any(shape)], args, ([x], { dim0, dim1 }) => core.transpose(x, dim0, dim1));
  },

  expand: (d) => {
    const out = d.shape(0, 4);
    const from = out.slice(d.int(0, out.length)).map((dim) => (d.once() ? 1 : dim));
    const lead = out.length - from.length;
    const shape = out.map((dim, axis) => (axis >= lead && from[axis - lead] === dim && d.once(4) ? -1 : dim));
    return opCase([d.any(from)], { shape }, ([x], { shape }) => core.expand(x, shape));
  },

  flip: (d) => {
    const shape = d.shape(1, 4);
    const dims = d.once() ? d.axis(shape) : d.axes(shape);
    return opCase([d.any(shape)], { dims }, ([x], { dims }) => core.flip(x, dims));
  },

  slice: (d) => {
    const shape = d.shape(0, 4);
    const bound = (): number => d.int(-5, 6);
    const range = (): Range =>
      d.pick([() => null, () => [bound(), bound()] as const, () => [bound(), bound(), d.int(1, 3)] as const])();
    const ranges = Array.from({ length: d.int(0, shape.length) }, range);
    return opCase([d.any(shape)], { ranges }, ([x], { ranges }) => core.slice(x, ranges));
  },

  pad: (d) => {
    const shape = d.shape(0, 4);
    const padding = shape.map(() => [d.int(0, 2), d.int(0, 2)] as const);
    const options = d.once() ? { value: d.int(-3, 3) } : {};
    return opCase([d.any(shape)], { padding, options }, ([x], { padding, options }) => core.pad(x, padding, options));
  },

  concat: (d) => {
    const shape = d.shape(1, 4);
    const dim = d.axis(shape);
    const along = dim < 0 ? dim + shape.length : dim;
    return opCase(pieces(d, shape, along), { dim }, (xs, { dim }) => core.concat(xs, dim));
  },

  stack: (d) => {
    const shape = d.shape(0, 3);
    return opCase(pieces(d, shape, null), { dim: d.int(-shape.length - 1, shape.length) }, (xs, { dim }) =>
      core.stack(xs, dim),
    );
  },
};
