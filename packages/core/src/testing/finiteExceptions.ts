/**
 * @file Where a device may give another NaN, infinity or zero than the loops: the one list, which the tests read. docs/5-gpu.md has it as
 * a table, and a test compares the two.
 */

/** A row of the table. */
export interface FiniteException {
  /** Names for `openDevice`; `all` stands for every device. */
  readonly devices: readonly string[];
  /** Names of ops; `all` stands for every op. */
  readonly ops: readonly string[];
  /** What is not as on the loops. */
  readonly what: string;
  readonly why: string;
}

export const finiteExceptions: readonly FiniteException[] = [
  {
    devices: ["gpu:webgpu", "gpu:webgl2", "gpu:webgl", "gpu:headlessgl"],
    ops: ["all"],
    what: "anything, where an input is not finite",
    why: "compilers of WGSL and GLSL may assume that there is no NaN and no infinity",
  },
  {
    devices: ["all"],
    ops: ["all"],
    what: "the sign of a zero",
    why: "a sum that starts at 0 loses the sign of -0, and one that starts at its first term keeps it",
  },
  {
    devices: ["all"],
    ops: ["all"],
    what: "infinity or NaN, where terms of a sum, squares or products are beyond 3.4e38",
    why: "devices compute in float32, the loops in float64",
  },
  {
    devices: ["all"],
    ops: ["all"],
    what: "0, or the other side of a kink, for inputs that are no more than a rounding away from 0 or the kink",
    why: "float32 rounds a position of 1e-30 onto the pixel's centre, and GPUs take numbers below 1.2e-38 for 0",
  },
];

/** Whether NaN and infinities are promised on a device at all. */
export function keepsFinite(device: string): boolean {
  return !finiteExceptions.some(({ devices, ops }) => devices.includes(device) && ops.includes("all"));
}
