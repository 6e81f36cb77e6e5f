/**
 * @file The roofline: no run is shorter than moving its bytes once through memory takes, nor than its multiply-adds take at the
 * machine's peak.
 *
 *     fraction = max(bytes / bandwidth, macs / peak) / time
 *
 * Source: Williams, Waterman and Patterson, "Roofline: an insightful visual performance model", CACM 52(4), 2009.
 */

/** Bandwidth of copies whose two arrays together have `bytes`; bytes that are read and bytes that are written both count. */
export interface CopyRate {
  readonly bytes: number;
  readonly gigabytesPerSecond: number;
  readonly by: string;
}

export interface MacRate {
  readonly gigamacsPerSecond: number;
  readonly by: string;
}

/** What was measured in the same run. */
export interface Machine {
  /** From the smallest to the largest. */
  readonly copies: readonly CopyRate[];
  readonly macs: readonly MacRate[];
}

/** The bandwidth for work of `bytes`: that of the largest copy that is no larger, as caches make smaller ones faster. */
export function bandwidthFor(bytes: number, { copies }: Machine): number {
  if (copies.length === 0) throw new Error("internal: bandwidthFor: copies must not be empty");
  const fitting = copies.filter((copy) => copy.bytes <= bytes);
  const largest = Math.max(...fitting.map((copy) => copy.bytes), copies[0].bytes);
  return Math.max(...copies.filter((copy) => copy.bytes === largest).map((copy) => copy.gigabytesPerSecond));
}

/** The least time that work can take, in milliseconds. */
export function leastMs({ macs, bytes }: { macs: number; bytes: number }, machine: Machine): number {
  const peak = Math.max(...machine.macs.map((rate) => rate.gigamacsPerSecond));
  return Math.max(bytes / bandwidthFor(bytes, machine), macs / peak) / 1e6;
}
