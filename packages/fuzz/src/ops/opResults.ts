/** @file What a call gives on a device: its outputs, and their gradients of first and second order. */

import {
  add,
  type Device,
  gradientsOf,
  isFloat,
  leaf,
  mul,
  Random,
  readValues,
  realize,
  sum,
  withDevice,
} from "@gridgrad/core";
import type { Tensor, Values } from "@gridgrad/core";

import { leavesOf, type OpCase } from "./opCase.ts";

/** One tensor of the results. */
export interface Result {
  readonly name: string;
  readonly values: Values;
}

/** How a call is run. */
export interface RunOptions {
  readonly dtype: "float32" | "float64";
  /** 0: the outputs alone; 1: their gradients; 2: the gradients of those. */
  readonly order: number;
  /** Goes into the gradient that comes in, at an element: NaN or an infinity. Default: none. */
  readonly special?: { readonly at: number; readonly value: number };
}

/** Elements that a call may compute: some arguments make results that no memory holds. */
const mostElements = 1e6;

/** Calls the op, and computes everything on `device`. `null` where that would be too much to compute. */
export async function resultsOn(device: Device, opCase: OpCase, options: RunOptions): Promise<Result[] | null> {
  return withDevice(device, async () => {
    const graph = graphOf(opCase, options);
    if (graph === null) return null;
    await realize(...graph.map(({ t }) => t));
    const results = [];
    for (const { name, t } of graph) results.push({ name, values: await readValues(t) });
    return results;
  });
}

function graphOf(opCase: OpCase, { dtype, order, special }: RunOptions): { name: string; t: Tensor }[] | null {
  const xs = leavesOf(opCase.inputs, dtype);
  const ys = callWith(opCase, xs);
  if (ys.some((y) => y.size > mostElements)) return null;
  const graph = ys.map((t, k) => ({ name: `y${k}`, t }));
  const wrt = xs.filter((x) => isFloat(x.dtype));
  const random = new Random(0);
  let dots = ys.filter((y) => isFloat(y.dtype) && y.dtype === dtype).map((y) => along(y, random, special));
  for (let depth = 1; depth <= order && dots.length > 0 && wrt.length > 0; depth++) {
    const gradients = gradientsOf(dots.reduce(add), wrt);
    dots = [];
    gradients.forEach((dx, k) => {
      if (dx === null) return;
      graph.push({ name: `${"d".repeat(depth)}x${k}`, t: dx });
      dots.push(along(dx, random));
    });
  }
  return graph;
}

/** Calls the op alone: nothing is computed. */
export function callWith({ call, args }: OpCase, xs: readonly Tensor[]): readonly Tensor[] {
  const called = call(xs, args);
  return Array.isArray(called) ? (called as readonly Tensor[]) : [called as Tensor];
}

/** How far `t` is along a random direction: a single number, whose gradient is that direction. */
function along(t: Tensor, random: Random, special?: RunOptions["special"]): Tensor {
  const { values } = random.uniform(t.shape, { low: -1, high: 1, dtype: "float32" });
  if (special && t.size > 0) values![special.at % t.size] = special.value;
  const direction = leaf(t.shape, t.dtype, t.dtype === "float64" ? Float64Array.from(values!) : values!);
  return sum(mul(t, direction));
}
