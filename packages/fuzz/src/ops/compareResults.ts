/** @file Results of a device beside those of the loops. */

import { deviceLimit } from "@gridgrad/core/testing/tolerance";

import type { Result } from "./opResults.ts";

/** How a result differs. */
export interface Difference {
  readonly what: string;
  readonly message: string;
}

/** The first difference beyond rounding, or in what is NaN or infinite; `null` if there is none. */
export function compareResults(got: readonly Result[], wanted: readonly Result[]): Difference | null {
  for (const [k, { name, values }] of wanted.entries()) {
    const mine = got[k].values;
    if (mine.length !== values.length) {
      return { what: `${name} has another size`, message: `${name} has ${mine.length} elements, not ${values.length}` };
    }
    let largest = 0;
    for (const value of values) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
    const limit = deviceLimit(largest);
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [mine[i], values[i]];
      if (kindOf(a) !== kindOf(b)) {
        const what = `${name} is ${kindOf(a)} where the loops give ${kindOf(b)}`;
        return { what, message: `${name}[${i}] is ${a}, the loops give ${b}` };
      }
      if (Number.isFinite(b) && !(Math.abs(a - b) <= limit)) {
        const what = `${name} differs`;
        return {
          what,
          message: `${name}[${i}] is ${a}, the loops give ${b}, off by more than ${limit.toExponential(1)}`,
        };
      }
    }
  }
  return null;
}

/** The first difference in any bit. */
export function compareBits(got: readonly Result[], wanted: readonly Result[]): Difference | null {
  for (const [k, { name, values }] of wanted.entries()) {
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [got[k].values[i], values[i]];
      if (!Object.is(a, b))
        return { what: `${name} has other bits`, message: `${name}[${i}] is ${a}, not ${b} to the bit` };
    }
  }
  return null;
}

function kindOf(value: number): string {
  if (Number.isFinite(value)) return "a number";
  return String(value);
}
