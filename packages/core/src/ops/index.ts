/** @file The arithmetic, reduction and layout ops: one line an op. */

export { abs, absOp } from "./abs.ts";
export { add, addOp } from "./add.ts";
export { cast, castOp } from "./cast.ts";
export { clamp, clampOp } from "./clamp.ts";
export {
  equal,
  equalOp,
  greater,
  greaterEqual,
  greaterEqualOp,
  greaterOp,
  less,
  lessEqual,
  lessEqualOp,
  lessOp,
  notEqual,
  notEqualOp,
} from "./compare.ts";
export { concat, concatOp } from "./concat.ts";
export { detach, detachOp } from "./detach.ts";
export { div, divOp } from "./div.ts";
export { exp, expKernel, expOp } from "./exp.ts";
export { expand, expandOp, sumTo } from "./expand.ts";
export { flip, flipOp } from "./flip.ts";
export { floor, floorOp } from "./floor.ts";
export { leakyRelu, leakyReluOp } from "./leakyRelu.ts";
export { log, logKernel, logOfRatioKernel, logOp } from "./log.ts";
export { matmul, matmulOp } from "./matmul.ts";
export { max, maxOp } from "./max.ts";
export { maximum, maximumOp } from "./maximum.ts";
export { mean } from "./mean.ts";
export { min, minOp } from "./min.ts";
export { minimum, minimumOp } from "./minimum.ts";
export { mul, mulOp } from "./mul.ts";
export { neg, negOp } from "./neg.ts";
export { pad, padOp } from "./pad.ts";
export { permute, permuteOp, transpose } from "./permute.ts";
export { pow, powOp } from "./pow.ts";
export { relu, reluOp } from "./relu.ts";
export { reshape, reshapeOp } from "./reshape.ts";
export { sigmoid, sigmoidKernel, sigmoidOp } from "./sigmoid.ts";
export { sign, signOp } from "./sign.ts";
export { type Range, slice, sliceOp, unsliceOp } from "./slice.ts";
export { aroundAxis, softmax, softmaxOp } from "./softmax.ts";
export { sqrt, sqrtOp } from "./sqrt.ts";
export { stack } from "./stack.ts";
export { sub, subOp } from "./sub.ts";
export { type ReduceAttrs, reducedOperand, reducedShape, stretchBack, sum, sumOp } from "./sum.ts";
export { tanh, tanhOp } from "./tanh.ts";
export { where, whereOp } from "./where.ts";
