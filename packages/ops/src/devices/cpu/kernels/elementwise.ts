/** @file The element-wise ops and expand: launches of assembly/elementwise.ts. */

import {
  broadcastOperand,
  type castOp,
  type clampOp,
  denseOperand,
  type expandOp,
  type leakyReluOp,
  mergeAxes,
  type powOp,
  type Shape,
  size,
  type whereOp,
} from "@gridgrad/core";

import type { geluOp } from "../../../ops/gelu.ts";
import { geluCubic } from "../../../ops/geluCubic.ts";
import type { smoothL1Op } from "../../../ops/smoothL1Loss.ts";
import { kernelOf, type CpuKernel, type Launcher } from "../kernel.ts";
import type { KernelName } from "../module.generated.ts";

/** Elements of an item where rows do not matter: a cache line. */
const line = 16;

/** Rows of more elements are cut, where there are fewer rows than threads may want. */
const longRow = 16384;
const fewRows = 64;

// One operand. `cost` is of an element, in additions, by measurement: what it takes beside the traffic to memory.

function map(cpu: Launcher, kernel: KernelName, shape: Shape, cost: number, ...args: number[]): void {
  cpu.launch(kernel, { items: Math.ceil(size(shape) / line), cost: line * cost }, ...args);
}

function unary(op: string, kernel: KernelName, cost = 1): CpuKernel {
  return kernelOf(op, (cpu, y, [x], { outShape }) => map(cpu, kernel, outShape, cost, y, x));
}

const leakyRelu = kernelOf<typeof leakyReluOp>("leakyRelu", (cpu, y, [x], { attrs: { negativeSlope }, outShape }) => {
  if (!Number.isFinite(Math.fround(negativeSlope))) return "loops"; // 0 times a slope that float32 does not have
  map(cpu, "leakyRelu", outShape, 1, y, x, negativeSlope);
  return undefined;
});

const clamp = kernelOf<typeof clampOp>("clamp", (cpu, y, [x], { attrs: { min, max }, outShape }) => {
  map(cpu, "clamp", outShape, 1, y, x, min ?? -Infinity, max ?? Infinity);
});

const gelu = kernelOf<typeof geluOp>("gelu", (cpu, y, [x], { attrs: { approximate }, outShape }) => {
  if (approximate === "none") {
    map(cpu, "gelu", outShape, 16, y, x);
  } else {
    const scale = 2 * Math.sqrt(2 / Math.PI);
    map(cpu, "geluTanh", outShape, 8, y, x, scale, scale * geluCubic);
  }
});

const smoothL1 = kernelOf<typeof smoothL1Op>("smoothL1", (cpu, y, [d], { attrs: { beta }, outShape }) => {
  map(cpu, "smoothL1", outShape, 1, y, d, beta);
});

const cast = kernelOf<typeof castOp>(
  "cast",
  (cpu, y, [x], { attrs: { dtype }, outShape }) => {
    map(cpu, dtype === "int32" ? "toInt" : "toFloat", outShape, 1, y, x);
  },
  { integers: true },
);

// Several operands.

/** Where the rows of an operand are, if there is no table: as in assembly/elementwise.ts. */
const denseRows = 0;
const singleNumber = 1;

/** y = kernel(inputs), broadcasting. */
function broadcast(
  cpu: Launcher,
  kernel: KernelName,
  y: number,
  inputs: readonly number[],
  inShapes: readonly Shape[],
  outShape: Shape,
  cost: number,
): void {
  const total = size(outShape);
  const sizes = inShapes.map(size);
  if (sizes.every((elements) => elements === total || elements === 1)) {
    const args = inputs.flatMap((input, k) => [input, sizes[k] === total ? denseRows : singleNumber]);
    cpu.launch(kernel, { items: Math.ceil(total / line), cost: line * cost }, y, line, ...args);
    return;
  }
  const { dims, strides } = cutLongRows(
    mergeAxes(outShape, [denseOperand(outShape), ...inShapes.map((shape) => broadcastOperand(shape, outShape))]),
  );
  const inner = dims.length - 1;
  const n = dims[inner];
  const operands = strides.slice(1);
  const tableLength = 2 + 2 * inner;
  const tables = cpu.scratch(tableLength * inputs.length);
  const words = cpu.int32(tables, tableLength * inputs.length);
  const args: number[] = [];
  for (let k = 0; k < inputs.length; k++) {
    const own = operands[k];
    const isDense = sizes[k] === total;
    args.push(inputs[k], isDense ? denseRows : sizes[k] === 1 ? singleNumber : tables + 4 * k * tableLength);
    let at = k * tableLength;
    words[at++] = own[inner];
    words[at++] = inner;
    for (let axis = inner - 1; axis >= 0; axis--) {
      words[at++] = dims[axis];
      words[at++] = 4 * own[axis];
    }
  }
  cpu.launch(kernel, { items: total / n, cost: n * cost }, y, n, ...args);
}

/** A few long rows as more, shorter ones of equal lengths, if their length has a divisor. */
function cutLongRows(merged: { dims: number[]; strides: number[][] }): { dims: number[]; strides: number[][] } {
  const { dims, strides } = merged;
  const n = dims[dims.length - 1];
  if (n <= longRow || size(dims) / n >= fewRows) return merged;
  let parts = Math.ceil(n / longRow);
  while (n % parts !== 0) if (++parts > fewRows * 16) return merged;
  const length = n / parts;
  return {
    dims: [...dims.slice(0, -1), parts, length],
    strides: strides.map((own) => [...own.slice(0, -1), own[own.length - 1] * length, own[own.length - 1]]),
  };
}

function binary(op: string, kernel: KernelName): CpuKernel {
  return kernelOf(op, (cpu, y, inputs, { inShapes, outShape }) => {
    broadcast(cpu, kernel, y, inputs, inShapes, outShape, 1);
  });
}

/** a > b is b < a. */
function swapped(op: string, kernel: KernelName): CpuKernel {
  return kernelOf(op, (cpu, y, [a, b], { inShapes: [aShape, bShape], outShape }) => {
    broadcast(cpu, kernel, y, [b, a], [bShape, aShape], outShape, 1);
  });
}

const pow = kernelOf<typeof powOp>("pow", (cpu, y, [a, b], { inShapes, outShape }) => {
  const [aShape, bShape] = inShapes;
  const isSquare = size(bShape) === 1 && cpu.float32(b, 1)[0] === 2;
  if (isSquare) broadcast(cpu, "mul", y, [a, a], [aShape, aShape], outShape, 1);
  else broadcast(cpu, "pow", y, [a, b], inShapes, outShape, 30);
});

const where = kernelOf<typeof whereOp>("where", (cpu, y, inputs, { inShapes, outShape }) => {
  broadcast(cpu, "where", y, inputs, inShapes, outShape, 1);
});

const expand = kernelOf<typeof expandOp>(
  "expand",
  (cpu, y, inputs, { inShapes, outShape }) => broadcast(cpu, "expand", y, inputs, inShapes, outShape, 1),
  { integers: true },
);

export const elementwiseKernels: readonly CpuKernel[] = [
  unary("neg", "neg"),
  unary("abs", "abs"),
  unary("sign", "sign"),
  unary("sqrt", "sqrt"),
  unary("floor", "floor"),
  unary("exp", "exp", 6),
  unary("log", "log", 8),
  unary("tanh", "tanh", 8),
  unary("sigmoid", "sigmoid", 8),
  unary("relu", "relu"),
  leakyRelu,
  clamp,
  unary("silu", "silu", 8),
  gelu,
  unary("erf", "erf", 16),
  unary("softplus", "softplus", 12),
  smoothL1,
  cast,
  binary("add", "add"),
  binary("sub", "sub"),
  binary("mul", "mul"),
  binary("div", "div"),
  binary("maximum", "maximum"),
  binary("minimum", "minimum"),
  binary("equal", "equal"),
  binary("notEqual", "notEqual"),
  binary("less", "less"),
  binary("lessEqual", "lessEqual"),
  swapped("greater", "less"),
  swapped("greaterEqual", "lessEqual"),
  pow,
  where,
  expand,
];
