/** @file Numbers as people read them. */

/**
 * A count with three digits and a suffix: k, M, G.
 *
 * @example
 * ```ts
 * formatCount(1234567); // 1.23 M
 * ```
 */
export function formatCount(count: number): string {
  for (const [unit, suffix] of [
    [1e9, " G"],
    [1e6, " M"],
    [1e4, " k"],
  ] as const) {
    if (count >= unit) return (count / (suffix === " k" ? 1e3 : unit)).toPrecision(3) + suffix;
  }
  return Math.round(count).toLocaleString("en");
}

/**
 * Bytes in MiB.
 *
 * @example
 * ```ts
 * formatBytes(3 * 2 ** 19); // 1.5 MiB
 * ```
 */
export function formatBytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
