/** @file Whether two contestants compute the same: before anything is timed. */

import type { HostTensor, HostTensors } from "./task.ts";

/** A peer that gives something else. Its line is not timed, and the benchmark fails. */
export class DisagreementError extends Error {
  override name = "DisagreementError";
}

export interface Comparison {
  /** The line's title. */
  readonly title: string;
  /** Whose results are checked, and against whose. */
  readonly peer: string;
  readonly against: string;
  readonly tolerance: number;
  /** Results that the peer may leave out. */
  readonly optional?: readonly string[];
}

/**
 * Compares all results.
 *
 * @returns the largest difference, relative to the largest value of its tensor.
 * @throws {DisagreementError} when a result is missing, unknown, of another shape, or farther away than the tolerance.
 */
export function checkAgreement(got: HostTensors, wanted: HostTensors, comparison: Comparison): number {
  const { title, peer, against, tolerance, optional = [] } = comparison;
  const fail = (rule: string, given: string): never => {
    throw new DisagreementError(`${title}: ${peer} and ${against} must ${rule}, got ${given}`);
  };
  const unknown = Object.keys(got).filter((name) => !Object.hasOwn(wanted, name));
  const missing = Object.keys(wanted).filter((name) => !Object.hasOwn(got, name) && !optional.includes(name));
  if (unknown.length > 0 || missing.length > 0) {
    const [mine, theirs] = [got, wanted].map((results) => Object.keys(results).join(", ") || "nothing");
    fail("give the same results", `${mine} and ${theirs}`);
  }
  if (Object.keys(got).length === 0) fail("give a result", "none");
  let largest = 0;
  for (const [name, tensor] of Object.entries(got)) {
    const [mine, theirs] = [tensor, wanted[name]].map(({ shape }) => `[${shape.join(", ")}]`);
    if (mine !== theirs) fail(`give ${name} in one shape`, `${mine} and ${theirs}`);
    const apart = relativeDifference(tensor, wanted[name]);
    const rule = `give ${name} within ${tolerance} of its largest value`;
    if (!(apart <= tolerance)) fail(rule, `a difference of ${apart.toPrecision(3)}`);
    largest = Math.max(largest, apart);
  }
  return largest;
}

/**
 * The largest difference, relative to the largest wanted value; NaN where one of them is not finite, or missing, and of
 * nothing.
 */
export function relativeDifference({ values: got }: HostTensor, { values: wanted }: HostTensor): number {
  if (got.length !== wanted.length || wanted.length === 0) return NaN;
  let [scale, apart] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(got[i] - wanted[i]);
    if (!Number.isFinite(difference)) return NaN;
    apart = Math.max(apart, difference);
    scale = Math.max(scale, Math.abs(wanted[i]));
  }
  return apart === 0 ? 0 : apart / scale;
}
