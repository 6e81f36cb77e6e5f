/** @file Kernels of one stage of a reduction, as reduction.ts has them: of the middle axis of [outer, R, inner], T parts are left. */

import type { Values } from "../dtype.ts";
import { quotient, type Thread } from "./kernel.ts";

/** Thread (o, t, i) adds up elements t, t + T, t + 2T, .. of the middle axis. */
export function sumKernel(this: Thread<"R" | "T" | "inner" | "count">, x: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.inner);
  const column = i - row * this.constants.inner;
  const o = quotient(row, this.constants.T);
  const t = row - o * this.constants.T;
  let total = 0;
  for (let k = 0; k < this.constants.count; k++) {
    const r = t + k * this.constants.T;
    if (r < this.constants.R) {
      total += x[(o * this.constants.R + r) * this.constants.inner + column];
    }
  }
  return total;
}

/** The largest of them. */
export function maxKernel(this: Thread<"R" | "T" | "inner" | "count">, x: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.inner);
  const column = i - row * this.constants.inner;
  const o = quotient(row, this.constants.T);
  const t = row - o * this.constants.T;
  let largest = x[(o * this.constants.R + t) * this.constants.inner + column];
  for (let k = 0; k < this.constants.count; k++) {
    const r = t + k * this.constants.T;
    if (r < this.constants.R) {
      const value = x[(o * this.constants.R + r) * this.constants.inner + column];
      if (value > largest) {
        largest = value;
      }
      if (isNanKernel(value) === 1) {
        return value;
      }
    }
  }
  return largest;
}

/** The smallest of them. */
export function minKernel(this: Thread<"R" | "T" | "inner" | "count">, x: Values): number {
  const i = this.thread.x;
  const row = quotient(i, this.constants.inner);
  const column = i - row * this.constants.inner;
  const o = quotient(row, this.constants.T);
  const t = row - o * this.constants.T;
  let smallest = x[(o * this.constants.R + t) * this.constants.inner + column];
  for (let k = 0; k < this.constants.count; k++) {
    const r = t + k * this.constants.T;
    if (r < this.constants.R) {
      const value = x[(o * this.constants.R + r) * this.constants.inner + column];
      if (value < smallest) {
        smallest = value;
      }
      if (isNanKernel(value) === 1) {
        return value;
      }
    }
  }
  return smallest;
}

/** 1 for NaN. Compilers that assume there is none fold `x !== x` to false; this they leave alone on every backend that was tried. */
export function isNanKernel(x: number): number {
  if (Math.abs(x) <= 3.4028234663852886e38) {
    return 0;
  }
  if (x > 3.4028234663852886e38) {
    return 0;
  }
  if (x < -3.4028234663852886e38) {
    return 0;
  }
  return 1;
}
