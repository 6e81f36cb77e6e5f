/**
 * @file Seeded random leaves: the same seed gives the same numbers on every machine.
 *
 * The stream is mulberry32, a 32-bit counter behind a mixing function. Normal numbers are Box-Muller's:
 *
 *     z = sqrt(-2 ln u) cos(2 π v)        u in (0, 1], v in [0, 1)
 *
 * with ln and cos written out in + - * /, which IEEE 754 rounds in one way only; `Math.log` and `Math.cos` may
 * differ between engines in the last bit.
 *
 * Source: mulberry32, Tommy Ettinger 2017 (public domain); Box and Muller 1958, doi:10.1214/aoms/1177706645.
 */

import { checkOptions } from "./checkOptions.ts";
import { allocate, checkDType, type DType, isFloat } from "./dtype.ts";
import { DTypeError, ValueError } from "./errors.ts";
import { checkShape, formatShape, type Shape, size } from "./shape.ts";
import { leaf } from "./leaf.ts";
import { Shown } from "./shown.ts";
import type { Tensor } from "./tensor.ts";

export interface RandomOptions<D extends DType = DType> {
  readonly dtype?: D;
  readonly requiresGrad?: boolean;
}

const uniformOptions = { low: 0, high: 0, dtype: 0, requiresGrad: 0 } as const;
const normalOptions = { mean: 0, std: 0, dtype: 0, requiresGrad: 0 } as const;

/**
 * A stream of random numbers. Its whole state is one 32-bit integer, which checkpoints store.
 *
 * @example
 * ```ts
 * const random = new Random(1);
 * random.next(); // 0.6270739405881613
 * random.next(); // 0.002735721180215478
 * ```
 */
export class Random extends Shown {
  /** An unsigned 32-bit integer: what the next number follows from. Set it to go back to where it was read. */
  state: number;

  /** @throws {ValueError} unless `seed` is an integer in [0, 2^32). */
  constructor(seed: number) {
    super();
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
      throw new ValueError("Random", "seed must be an integer in [0, 2^32)", String(seed));
    }
    this.state = seed;
  }

  toString(): string {
    return `Random(state: ${this.state})`;
  }

  /** The next number, uniform in [0, 1), a multiple of 2^-32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0; // mulberry32's step and its mixing constants below
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** The next number of the standard normal distribution. Takes two from the stream. */
  nextNormal(): number {
    const radius = Math.sqrt(-2 * naturalLog(1 - this.next()));
    return radius * cosineOfTurn(this.next());
  }

  /** A leaf with elements uniform in [low, high). Rounding to float32 gives `high` itself about once in 2^25 elements. */
  uniform<D extends DType = "float32">(
    shape: Shape,
    options?: { low?: number; high?: number } & RandomOptions<D>,
  ): Tensor<D> {
    checkShape("uniform", shape, arguments);
    const { low = 0, high = 1, ...rest } = checkOptions("uniform(shape)", uniformOptions, options, arguments);
    return this.#fill<D>("uniform", shape, rest, () => low + (high - low) * this.next());
  }

  /** A leaf with normally distributed elements. */
  normal<D extends DType = "float32">(
    shape: Shape,
    options?: { mean?: number; std?: number } & RandomOptions<D>,
  ): Tensor<D> {
    checkShape("normal", shape, arguments);
    const { mean = 0, std = 1, ...rest } = checkOptions("normal(shape)", normalOptions, options, arguments);
    return this.#fill<D>("normal", shape, rest, () => mean + std * this.nextNormal());
  }

  /** An int32 leaf with elements uniform in 0 .. `high` - 1. */
  integers(shape: Shape, high: number): Tensor<"int32"> {
    if (!Number.isInteger(high) || high < 1 || high > 2 ** 31) {
      throw new ValueError("integers", "high must be an integer in [1, 2^31]", String(high));
    }
    return this.#fill("integers", shape, { dtype: "int32" }, () => Math.floor(high * this.next()));
  }

  #fill<D extends DType>(
    op: string,
    shape: Shape,
    { dtype = "float32" as D, requiresGrad = false }: RandomOptions<D>,
    draw: () => number,
  ): Tensor<D> {
    checkDType(op, dtype);
    if (!isFloat(dtype) && op !== "integers") {
      throw new DTypeError(op, "dtype must be float32 or float64 (integers gives int32)", dtype);
    }
    checkShape(op, shape);
    const values = allocate(dtype, size(shape), () => `${op}: a tensor of shape ${formatShape(shape)} in ${dtype}`);
    for (let i = 0; i < values.length; i++) values[i] = draw();
    return leaf(shape, dtype, values, requiresGrad);
  }
}

/** ln x for x in (0, 1]: x = m 2^e with m in [√½, √2), then ln m = 2 artanh((m - 1) / (m + 1)) as a series. */
function naturalLog(x: number): number {
  let m = x;
  let e = 0;
  for (; m < Math.SQRT1_2; m *= 2) e--; // doubling is exact
  const s = (m - 1) / (m + 1);
  const s2 = s * s; // at most 0.0295, so the term behind the last is below 1e-18
  let series = 0;
  for (let k = 21; k >= 1; k -= 2) series = series * s2 + 1 / k;
  return 2 * s * series + e * Math.LN2;
}

/** cos(2 π v) for v in [0, 1): folded into the first eighth of a turn, then the series of sine or cosine. */
function cosineOfTurn(v: number): number {
  const half = v > 0.5 ? 1 - v : v; // cos is even around half a turn
  const sign = half > 0.25 ? -1 : 1;
  const quarter = half > 0.25 ? 0.5 - half : half; // all of these are exact
  return sign * (quarter > 0.125 ? sineSeries(2 * Math.PI * (0.25 - quarter)) : cosineSeries(2 * Math.PI * quarter));
}

/** Taylor series for |x| <= π/4; the first term left out is below 1e-17. */
function sineSeries(x: number): number {
  const x2 = x * x;
  let series = 1;
  for (let k = 16; k >= 2; k -= 2) series = 1 - (x2 / (k * (k + 1))) * series;
  return x * series;
}

function cosineSeries(x: number): number {
  const x2 = x * x;
  let series = 1;
  for (let k = 17; k >= 1; k -= 2) series = 1 - (x2 / (k * (k + 1))) * series;
  return series;
}
