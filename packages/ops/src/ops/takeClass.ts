/**
 * @file Takes the value of one class at each position, and its adjoint, which puts it back.
 *
 *     y[n, ...] = x[n, target[n, ...], ...], and 0 where the target is ignored        dx = dy at those places, 0 elsewhere
 *
 * For crossEntropy, whose name stands in the error about a wrong label.
 *
 * Source: torch.gather along axis 1, with the ignore_index of torch.nn.functional.nll_loss.
 */

import {
  apply,
  broadcastOperand,
  denseOperand,
  type DType,
  DTypeError,
  gather,
  isFloat,
  type Op,
  type Operand,
  quotient,
  sameShape,
  type Shape,
  ShapeError,
  size,
  stridesOf,
  sumTo,
  type Tensor,
  type Thread,
  type Values,
  walk,
} from "@gridgrad/core";

import { checkLabels, wrongLabel } from "./checkLabels.ts";

/**
 * The value of each position's class.
 *
 * @param x - `[N, C, ...]`; axes other than C may be 1 and stretch.
 * @param target - int32 `[N, ...]`, classes 0 to C - 1 or `ignoreIndex`.
 */
export function takeClass(x: Tensor, target: Tensor, ignoreIndex: number): Tensor {
  return apply(takeClassOp, [x, target], { ignoreIndex });
}

export const takeClassOp: Op<{ readonly ignoreIndex: number }> = {
  name: "takeClass",

  shape([x, target]) {
    const positions = x.filter((_, axis) => axis !== 1);
    const fits = positions.length === target.length && positions.every((dim, i) => dim === 1 || dim === target[i]);
    if (x.length < 2 || !fits)
      throw new ShapeError("takeClass", "x must be [N, C, ...] for a target [N, ...]", { x, target });
    return target;
  },

  dtype: takenType,

  vjp(dy, [x, target], { ignoreIndex }) {
    const dx = apply(putClassOp, [dy, target], { ignoreIndex, classes: x.shape[1] });
    return [sumTo(dx, x.shape), null];
  },

  loops(y, [x, target], { attrs: { ignoreIndex }, inShapes: [shape, targetShape] }) {
    const { operand, classes, classStride } = atClass0(shape, targetShape);
    walk(targetShape, [denseOperand(targetShape), operand], (n, [at, xAt], [, xStep]) => {
      for (let i = 0; i < n; i++) {
        const label = target[at + i];
        if (label === ignoreIndex) continue;
        if (label < 0 || label >= classes) throw wrongLabel(label, at + i, targetShape, classes, ignoreIndex);
        y[at + i] = x[xAt + i * xStep + label * classStride];
      }
    });
  },

  gpu({ attrs: { ignoreIndex }, inShapes: [shape, targetShape] }, [, target]) {
    const [N, ...positions] = targetShape;
    const [, C, ...own] = shape;
    checkLabels(target!, targetShape, C, ignoreIndex);
    const dense = sameShape(own, positions);
    const stretched = size(own) === 1;
    const all = [shape[0], C, ...positions]; // where only some of the axes stretch, they are stretched beforehand
    const before = dense || stretched ? [] : [gather("takeClassStretch", all, broadcastOperand(shape, all))];
    const P = size(positions);
    const classStride = before.length === 0 ? size(own) : P;
    return [
      ...before,
      {
        kernel: takeClassKernel,
        inputs: [before.length === 0 ? 0 : 2, 1],
        size: N * P,
        integers: { P, rowStride: shape[0] === 1 ? 0 : C * classStride, classStride, step: classStride === 1 ? 0 : 1 },
        floats: { ignored: ignoredLabel(ignoreIndex) },
      },
    ];
  },
};

/** Thread (n, p) of [N, P] reads x at its class. */
function takeClassKernel(
  this: Thread<"P" | "rowStride" | "classStride" | "step" | "ignored">,
  x: Values,
  target: Values,
): number {
  const label = target[this.thread.x];
  if (label === this.constants.ignored) {
    return 0;
  }
  const n = quotient(this.thread.x, this.constants.P);
  const p = this.thread.x - n * this.constants.P;
  return x[n * this.constants.rowStride + label * this.constants.classStride + p * this.constants.step];
}

/** ignoreIndex for kernels. Their labels are float32 numbers up to 2^24; one beyond ignores none of them, and neither does -1. */
function ignoredLabel(ignoreIndex: number): number {
  return Math.abs(ignoreIndex) <= 2 ** 24 ? ignoreIndex : -1;
}

/** Puts the value of each position at its class, in zeros. The gradient of takeClass. */
export const putClassOp: Op<{ readonly ignoreIndex: number; readonly classes: number }> = {
  name: "putClass",

  shape([dy, target], { classes }) {
    if (!sameShape(dy, target))
      throw new ShapeError("internal: putClass", "dy must have the shape of target", { dy, target });
    return [target[0], classes, ...target.slice(1)];
  },

  dtype: takenType,

  vjp: (g, [, target], { ignoreIndex }) => [takeClass(g, target, ignoreIndex), null],

  loops(dx, [dy, target], { attrs: { ignoreIndex }, inShapes: [, targetShape], outShape }) {
    const { operand, classes, classStride } = atClass0(outShape, targetShape);
    walk(targetShape, [denseOperand(targetShape), operand], (n, [at, dxAt], [, dxStep]) => {
      for (let i = 0; i < n; i++) {
        const label = target[at + i];
        if (label === ignoreIndex) continue;
        if (label < 0 || label >= classes) throw wrongLabel(label, at + i, targetShape, classes, ignoreIndex);
        dx[dxAt + i * dxStep + label * classStride] = dy[at + i];
      }
    });
  },

  gpu({ attrs: { ignoreIndex, classes }, inShapes: [, targetShape], outShape }, [, target]) {
    checkLabels(target!, targetShape, classes, ignoreIndex);
    return [
      {
        kernel: putClassKernel,
        inputs: [0, 1],
        size: size(outShape),
        integers: { P: size(targetShape.slice(1)), C: classes },
        floats: { ignored: ignoredLabel(ignoreIndex) },
      },
    ];
  },
};

/** Thread (n, c, p) of [N, C, P] takes dy if c is the class of its position. */
function putClassKernel(this: Thread<"P" | "C" | "ignored">, dy: Values, target: Values): number {
  const row = quotient(this.thread.x, this.constants.P);
  const p = this.thread.x - row * this.constants.P;
  const n = quotient(row, this.constants.C);
  const c = row - n * this.constants.C;
  const at = n * this.constants.P + p;
  if (target[at] === c && c !== this.constants.ignored) {
    return dy[at];
  }
  return 0;
}

/** `[N, C, ...]` read along a target `[N, ...]`, at class 0 of each position. */
function atClass0(shape: Shape, targetShape: Shape): { operand: Operand; classes: number; classStride: number } {
  const strides = stridesOf(shape);
  const positions = shape.filter((_, axis) => axis !== 1);
  const stretched = broadcastOperand(positions, targetShape).strides; // 0 along the axes that stretch
  const own = strides.filter((_, axis) => axis !== 1);
  return {
    operand: { strides: own.map((stride, axis) => (stretched[axis] === 0 ? 0 : stride)) },
    classes: shape[1],
    classStride: strides[1],
  };
}

function takenType([values, target]: readonly DType[]): DType {
  if (!isFloat(values) || target !== "int32")
    throw new DTypeError("takeClass", "x must be floating and target int32 (cast converts)", `${values} and ${target}`);
  return values;
}
