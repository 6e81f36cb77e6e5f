/**
 * @file GPU kernels: ordinary TypeScript functions that gpu.js translates to WGSL, GLSL or WebAssembly.
 *
 * A kernel computes one element of a flat, row-major output: `this.thread.x` counts the elements, and the return value is element
 * number `this.thread.x`. Its arguments are flat float32 arrays; sizes and options come as `this.constants`. It is closed (no
 * imports but `quotient`, no outer variables) and keeps to the rules of docs/5-gpu.md, which make it mean the same everywhere.
 */

import type { Values } from "../dtype.ts";

/** `this` of a kernel: the number of its element, and its constants by name. */
export interface Thread<Constant extends string = never> {
  readonly thread: { readonly x: number };
  readonly constants: Readonly<Record<Constant, number>>;
}

/** A kernel. Reads flat arrays at any place, and returns the element `this.thread.x` of the output. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each kernel names its own constants
export type KernelFunction = (this: Thread<any>, ...inputs: Values[]) => number;

/** A function of numbers that kernels may call, and that element-wise kernels are made of. Its name, too, ends in Kernel. */
export type ScalarFunction = (...values: number[]) => number;

/** A kernel that was composed as text, with a name for messages. */
export interface KernelText {
  readonly name: string;
  readonly source: string;
}

/** One launch of one kernel. */
export interface GpuStep {
  readonly kernel: KernelFunction | KernelText;
  /** Where its arguments come from: 0, 1, .. are the inputs of the op, and the numbers behind them the results of the steps before. */
  readonly inputs: readonly number[];
  /** Number of elements that it computes. */
  readonly size: number;
  /** Integer constants, such as sizes. */
  readonly integers?: Readonly<Record<string, number>>;
  /** Real-valued constants. Finite. */
  readonly floats?: Readonly<Record<string, number>>;
  /** The functions that it calls, besides `quotient`. */
  readonly functions?: readonly ScalarFunction[];
}

/**
 * What computes an op: steps, the last of which has the output; or the number of an input whose values are the output's already
 * (reshape); or `null` where only the loops fit the given shapes or attributes.
 */
export type GpuPlan = readonly GpuStep[] | number | null;

/**
 * The whole number of times that `n` fits into `i`, exact for 0 <= i < 2^24 and 1 <= n < 2^24: GPUs divide with an error of a few
 * roundings, which would put an element into the wrong row.
 */
export function quotient(i: number, n: number): number {
  let q = Math.floor(i / n);
  const rest = i - q * n;
  if (rest < 0) {
    q = q - 1;
  }
  if (rest >= n) {
    q = q + 1;
  }
  return q;
}

/**
 * What a build leaves in place of a kernel: its name, and where its text is. Only devices that run kernels load the texts, and no bundler
 * changes them (scripts/build/bakeKernels.mjs).
 */
export type StoredKernel = readonly [
  name: string,
  load: () => Promise<{ readonly kernelTexts: Readonly<Record<string, string>> }>,
  /** Of the text, where two kernels of a package have one name. */
  key?: string,
];

/** A function's own source, where a build step has put it because the bundler changes functions (see docs/5-gpu.md). */
interface WithSource {
  kernelSource?: string | StoredKernel;
}

/** The name of a kernel or scalar function, which survives a bundler that renames. */
export function kernelName(kernel: KernelFunction | ScalarFunction | KernelText): string {
  if (typeof kernel !== "function") return kernel.name;
  const stored = sources.has(kernel) ? null : findStored(kernel);
  return stored?.[0] ?? /^function\s+(\w+)/.exec(kernelSource(kernel))?.[1] ?? "kernel";
}

/**
 * The text of a kernel as gpu.js takes it.
 *
 * @throws {Error} when a bundler has minified the function, which a lost name shows: what minifiers make of it means something else,
 *   or nothing, in the languages that gpu.js translates to.
 */
export function kernelSource(kernel: KernelFunction | ScalarFunction | KernelText): string {
  if (typeof kernel !== "function") return kernel.source;
  const known = sources.get(kernel);
  if (known !== undefined) return known;
  const stored = findStored(kernel);
  if (stored) throw new Error(`internal: kernel: loadKernels must have loaded the text of ${stored[0]}`);
  return keepSource(kernel, String((kernel as WithSource).kernelSource ?? kernel));
}

/** Loads the texts that `kernelSource` and `kernelName` need for a plan. `null` where they are there: mostly. */
export function loadKernels(plan: readonly GpuStep[]): Promise<unknown> | null {
  const loads: Promise<unknown>[] = [];
  for (const { kernel, functions = [] } of plan) {
    for (const each of [kernel, quotient, ...functions]) {
      if (typeof each !== "function" || sources.has(each)) continue;
      const stored = findStored(each);
      if (!stored) continue;
      const [name, load, key = name] = stored;
      loads.push(load().then(({ kernelTexts }) => keepSource(each, kernelTexts[key])));
    }
  }
  return loads.length === 0 ? null : Promise.all(loads);
}

/** What a build has left of the function, if that has happened: it returns it, or carries it where the host calls the function as well. */
function findStored(kernel: KernelFunction | ScalarFunction): StoredKernel | null {
  let stored: unknown = (kernel as WithSource).kernelSource;
  if (stored === undefined && kernel.length === 0) {
    try {
      stored = (kernel as () => unknown)();
    } catch {
      return null; // a kernel without arguments, which misses `this`
    }
  }
  return Array.isArray(stored) ? (stored as unknown as StoredKernel) : null;
}

function keepSource(kernel: KernelFunction | ScalarFunction, source: string): string {
  if (!/^function\s+(\w*Kernel|quotient)\s*\(/.test(source)) {
    throw new Error(
      `kernel: a kernel must be a function declaration named ..Kernel and reach gpu.js as it was written, got ${source.slice(0, 60)}; ` +
        "bundle with the plugin inlineKernels() of @gridgrad/ops/inlineKernels",
    );
  }
  // Module loaders rewrite calls of imported functions: (0, module.quotient)(i, n).
  const text = source.replace(/\(0,\s*[\w$]+\.(\w+)\)\(/g, "$1(");
  sources.set(kernel, text);
  return text;
}

/** Texts that were asked for before: each launch of a kernel asks again, to find what was compiled. */
const sources = new WeakMap<KernelFunction | ScalarFunction, string>();
