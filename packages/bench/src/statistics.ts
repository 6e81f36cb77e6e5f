/** @file What is told of many times of one thing: the median, and the quartiles as its spread. */

/** Of times in milliseconds. */
export interface Summary {
  readonly medianMs: number;
  readonly q1Ms: number;
  readonly q3Ms: number;
  readonly bestMs: number;
  readonly runs: number;
}

/**
 * The value below which the share `q` of `values` lies, on the straight line between its two neighbours.
 *
 * @param values - at least one, in any order.
 * @param q - in 0 .. 1
 */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new Error("quantile: values must not be empty, got none");
  const sorted = [...values].sort((a, b) => a - b);
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

export function summarize(times: readonly number[]): Summary {
  return {
    medianMs: quantile(times, 0.5),
    q1Ms: quantile(times, 0.25),
    q3Ms: quantile(times, 0.75),
    bestMs: quantile(times, 0),
    runs: times.length,
  };
}

/** A number with about three digits, as a table has room for: 1234, 12.3, 0.123. */
export function threeDigits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(3, Math.max(0, 2 - magnitude)));
}
