/**
 * @file Compiled kernels: one per source, size, constants and kinds of arguments, the latest ones kept.
 */

import { type GpuStep, kernelName, kernelSource, quotient, type ScalarFunction } from "@gridgrad/core";

import type { GpuBackend } from "./gpuBackends.ts";
import type { GpuJs, GpuJsKernel, GpuJsValues } from "./gpujs.ts";
import { SharedMemory } from "./sharedMemory.ts";

/** Kernels kept. A training step of the toy network uses some 300; each holds a few objects, and GL ones a texture of their output's size. */
const defaultCapacity = 2048;

/**
 * Loops whose bounds come from data are cut there, in every backend and in silence; the default of gpu.js is 1000. No tensor has
 * more elements.
 */
const loopMaxIterations = 2 ** 24;

export class Kernels {
  readonly #gpu: GpuJs;
  readonly #backend: GpuBackend;
  readonly #settings: Readonly<Record<string, unknown>>;
  /** In the order of their last use. */
  readonly #compiled = new Map<string, GpuJsKernel>();
  /** GL: a kernel that is never destroyed; see `#destroy`. */
  #keeper: GpuJsKernel | null = null;
  /** Takes host arrays in. The only one that sees them, so that all others see one kind of argument. */
  #uploader: GpuJsKernel | null = null;

  readonly #capacity: number;
  readonly #memory = new SharedMemory();

  constructor(gpu: GpuJs, backend: GpuBackend, capacity = defaultCapacity) {
    this.#capacity = capacity;
    this.#gpu = gpu;
    this.#backend = backend;
    this.#settings = {
      precision: "single",
      tactic: "precision", // the default lets the size of the output choose, down to 10 bits
      pipeline: true, // results stay where they are
      immutable: true, // and each call has a result of its own
      optimizeFloatMemory: isGl(backend), // four values to a texel
      loopMaxIterations,
    };
  }

  get count(): number {
    return this.#compiled.size;
  }

  /** The kernel of a step for these arguments, and whether it was compiled for this call. */
  get(step: GpuStep, inputs: readonly GpuJsValues[]): { kernel: GpuJsKernel; isNew: boolean } {
    const source = kernelSource(step.kernel).replace(/^function\s+\w+/, "function");
    const key = JSON.stringify([source, step.size, step.integers, step.floats, inputs.map((x) => this.#kind(x))]);
    const known = this.#compiled.get(key);
    if (known) {
      this.#compiled.delete(key); // to the end of the order
      this.#compiled.set(key, known);
      return { kernel: known, isNew: false };
    }
    this.#keepOne();
    const functions = [...(source.includes("quotient(") ? [quotient] : []), ...(step.functions ?? [])];
    const kernel = this.#gpu.createKernel(source, {
      ...this.#settings,
      output: [step.size],
      constants: { ...step.integers, ...step.floats },
      constantTypes: { ...typed(step.integers, "Integer"), ...typed(step.floats, "Float") },
      functions: functions.map(scalarFunction),
    });
    this.#compiled.set(key, kernel);
    const [oldest] = this.#compiled.keys();
    if (this.#compiled.size > this.#capacity) {
      this.#destroy(this.#compiled.get(oldest)!);
      this.#compiled.delete(oldest);
    }
    return { kernel, isNew: true };
  }

  /** Runs a kernel; the first run compiles it. */
  run(kernel: GpuJsKernel, isNew: boolean, inputs: readonly GpuJsValues[]): GpuJsValues | Promise<GpuJsValues> {
    return isNew && this.#backend === "webasm" ? this.#memory.use(() => kernel(...inputs)) : kernel(...inputs);
  }

  /** A copy of host values where kernels read them. */
  upload(values: Float32Array): GpuJsValues | Promise<GpuJsValues> {
    if (this.#backend === "webasm" || this.#backend === "cpu") return values;
    this.#keepOne();
    this.#uploader ??= this.#gpu.createKernel("function (x) { return x[this.thread.x]; }", {
      ...this.#settings,
      output: [1],
      dynamicOutput: true,
      dynamicArguments: true,
      argumentTypes: { x: "Array" },
    });
    this.#uploader.setOutput([values.length]);
    return this.#uploader(values);
  }

  destroy(): void {
    for (const kernel of this.#compiled.values()) this.#destroy(kernel);
    this.#compiled.clear();
  }

  /** Of GL textures, what the generated code depends on; a buffer or an array is told by its length. */
  #kind(values: GpuJsValues): string | number {
    if (values instanceof Float32Array) return values.length;
    if (!values.size) return "buffer";
    return `${values.constructor.name} ${values.size.join("x")} ${values.dimensions!.join("x")}`;
  }

  #keepOne(): void {
    if (this.#keeper || !isGl(this.#backend)) return;
    this.#keeper = this.#gpu.createKernel("function () { return 1.5; }", { output: [1], precision: "single" });
    void this.#keeper();
  }

  /**
   * Destroying a GL kernel deletes the vertex buffer that the context has bound, and other kernels do not bind theirs again: they would
   * draw nothing and return what they returned before. So bind the one of a kernel that is never destroyed.
   */
  #destroy(kernel: GpuJsKernel): void {
    kernel.destroy();
    if (!this.#keeper) return;
    const { buffer, program, context } = this.#keeper.kernel;
    const gl = context as Gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    // Bytes: four corners of two float32 each come before the texture coordinates.
    for (const [name, offset] of [
      ["aPos", 0],
      ["aTexCoord", 32],
    ] as const) {
      const place = gl.getAttribLocation(program, name);
      if (place === -1) continue;
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 0, offset);
    }
  }

  /** The GL context, if there is one. */
  get gl(): Gl | null {
    return (this.#keeper?.kernel.context as Gl | undefined) ?? null;
  }
}

/** The part of a WebGL context that is used. */
export interface Gl {
  readonly ARRAY_BUFFER: number;
  readonly FLOAT: number;
  isContextLost?(): boolean;
  getError(): number;
  bindBuffer(target: number, buffer: unknown): void;
  getAttribLocation(program: unknown, name: string): number;
  enableVertexAttribArray(place: number): void;
  vertexAttribPointer(place: number, size: number, type: number, normalized: boolean, stride: number, at: number): void;
}

export function isGl(backend: GpuBackend): boolean {
  return backend === "headlessgl" || backend === "webgl2" || backend === "webgl";
}

function typed(constants: Readonly<Record<string, number>> | undefined, type: string): Record<string, string> {
  return Object.fromEntries(Object.keys(constants ?? {}).map((name) => [name, type]));
}

/** A function of numbers, with the types that gpu.js would else guess from its first call. */
function scalarFunction(f: ScalarFunction): { source: string; settings: object } {
  const source = kernelSource(f);
  const [, parameters] = /^function\s+\w+\s*\(([^)]*)\)/.exec(source)!;
  const names = parameters.split(",").map((name) => name.trim());
  const argumentTypes = Object.fromEntries(names.map((name) => [name, "Float"]));
  return { source, settings: { name: kernelName(f), argumentTypes, returnType: "Float" } };
}
