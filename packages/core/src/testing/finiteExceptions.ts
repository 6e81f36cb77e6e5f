/**
 * @file Where a device may give another NaN, infinity or zero than the loops: the one list. docs/5-gpu.md has it as a table, and a test
 * compares the two. `describeOp` leaves out the devices that it names for every op, `checkFinite` does not look at the sign of a zero, and
 * `placements` draws none of the numbers.
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
    what: "any value where an input is not finite, but of element-wise ops",
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
    what: "an infinity or NaN for numbers, where a sum, a product or an attribute on the way is beyond 3.4e38",
    why: "devices compute in float32, the loops in float64",
  },
  {
    devices: ["all"],
    ops: ["all"],
    what: "0 for a number below 1.2e-38, and the other side of a kink for a number that is as close to it",
    why: "GPUs take such numbers for 0, and float32 rounds a pixel's position plus 1e-30 to the position",
  },
];

/** Whether NaN and infinities are promised on a device at all. */
export function keepsFinite(device: string): boolean {
  return !finiteExceptions.some(({ devices, ops }) => devices.includes(device) && ops.includes("all"));
}
