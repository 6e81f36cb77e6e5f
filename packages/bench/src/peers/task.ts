/**
 * @file What a contestant is asked to compute, and the values that it gets and gives: plain arrays, in PyTorch's layouts and with
 * PyTorch's names, whatever the library below does with them.
 */

/** Values on the host. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** By their names: `x`, `weight`, `grid`; results `y`, and a gradient is `d` and the name of what it belongs to. */
export type HostTensors = Readonly<Record<string, HostTensor>>;

/** What each contestant has or lacks. Its file and `torch_peer.py` list the formulas by these names. */
export const workNames = [
  "batchNorm",
  "conv1x1",
  "conv2d",
  "copy",
  "dysample",
  "exp",
  "gridSample",
  "interpolate",
  "matmul",
  "multiplyAdd",
  "pixelShuffle",
  "softmax",
  "sum",
  "trainingStep",
] as const;

export type WorkName = (typeof workNames)[number];

export interface Task {
  readonly work: WorkName;
  /** Whether the gradients of all inputs are computed, too, for the given `dy`. */
  readonly gradients: boolean;
  readonly attrs: Readonly<Record<string, string | number>>;
}

/** A task that a contestant has been prepared for. */
export interface Prepared {
  /** What it computes, for the comparison with the others. */
  outputs(): Promise<HostTensors>;
  /** Computes once. What it returns frees the result, and is called when the clock has stopped. */
  run(): Promise<() => void> | (() => void);
  /** Frees the inputs. */
  release(): void;
}

/** A library that is timed. It lives in a process of its own. */
export interface Contestant {
  /** Name and version of the library, and what it runs on. */
  readonly version: string;
  /** How many threads it has really been given, and why not as many as were asked for. */
  readonly threads: string;
  /**
   * Takes the inputs to where the library keeps values, in the layout that it likes best.
   *
   * @returns a sentence instead where the library has no such thing.
   */
  prepare(task: Task, inputs: HostTensors): Promise<Prepared | string>;
  close(): void | Promise<void>;
}

/** Number of elements. */
export function elements({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** The names of the inputs that have a gradient: all but the gradient that is given. */
export function differentiated(inputs: HostTensors): string[] {
  return Object.keys(inputs).filter((name) => name !== "dy");
}
