/**
 * @file What computes on the `gpu` device: it runs each op's kernels through gpu.js. Values stay on the GPU from op to op.
 *
 * What the GPU holds is float32. Values of other types stay on the host: float64, which GPUs lack, and int32, whose larger numbers
 * float32 cannot hold; ops on them run their loops there. So do ops without kernels and tensors of more than 2^24 elements, up to which
 * float32 counts without gaps. `onLoops` tells which ran there, and why.
 */

import {
  type DeviceBuffer,
  type DType,
  dtypeOf,
  GraphError,
  type GpuPlan,
  type GpuStep,
  kernelName,
  kernelSource,
  lacksMemory,
  lessMemory,
  loadKernels,
  type MemoryCounter,
  type Op,
  OutOfMemoryError,
  runLoops,
  type OpInfo,
  size,
  type Values,
} from "@gridgrad/core";

import type { Counters, Engine } from "../lazyDevice.ts";
import { openBackend, type OpenBackend } from "./backend.ts";
import type { GpuBackend } from "./gpuBackends.ts";
import type { GpuJsKernel, GpuJsValues } from "./gpujs.ts";
import { Kernels } from "./kernels.ts";
import { opsPlanner } from "./opsPlanner.ts";

/** Indices are float32 numbers in some backends: the largest count without gaps. */
const mostElements = 2 ** 24;

/** WebGPU: submits between waits for the GPU to catch up. Without, buffers of what waits in the queue pile up. */
const submitsInFlight = 32;

/** Values on the GPU. Several buffers may share them (reshape). */
class GpuValues {
  readonly raw: GpuJsValues;
  #owners = 1;

  constructor(raw: GpuJsValues) {
    this.raw = raw;
  }

  share(): GpuValues {
    this.#owners++;
    return this;
  }

  /** One owner less; true if it was the last one. */
  release(): boolean {
    this.#owners--;
    if (this.#owners === 0 && !(this.raw instanceof Float32Array)) this.raw.delete();
    return this.#owners === 0;
  }
}

/** On the host, on the GPU, or both. */
interface GpuBuffer extends DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  host: Values | null;
  gpu: GpuValues | null;
}

export class GpuEngine implements Engine {
  /** Time spent on compiling kernels, ms. */
  compileMs = 0;
  /** Handles on the GPU that were not deleted yet. */
  liveHandles = 0;

  readonly #name: string;
  readonly #wanted: GpuBackend | "gpu";
  readonly #mostKernels: number | undefined;
  readonly #memory: MemoryCounter;
  readonly #onLoops: Map<string, string>;
  #opening: Promise<Opened> | null = null;
  #opened: Opened | null = null;
  #submits = 0;
  #failure: string | null = null;
  /** WebGPU: what all kernels run on. */
  #context: WebGpuContext | null = null;

  constructor(
    { name, memory, onLoops }: Counters & { readonly name: string },
    wanted: GpuBackend | "gpu",
    mostKernels: number | undefined,
  ) {
    this.#name = name;
    this.#memory = memory;
    this.#onLoops = onLoops;
    this.#wanted = wanted;
    this.#mostKernels = mostKernels;
  }

  /** What runs: `gpu.js webgpu on NVIDIA H200`. */
  async ready(): Promise<string> {
    return (this.#opened ?? (await this.#open())).description;
  }

  /** Compiled kernels that are kept. */
  get kernelCount(): number {
    return this.#opened?.kernels.count ?? 0;
  }

  upload(values: Values): GpuBuffer {
    return this.#hold(values, null, dtypeOf(values), values.length);
  }

  async download(buffer: DeviceBuffer): Promise<Values> {
    return this.#hostValues(buffer as GpuBuffer);
  }

  async run(op: Op, inputs: readonly DeviceBuffer[], info: OpInfo): Promise<GpuBuffer> {
    const opened = this.#opened ?? (await this.#open());
    const buffers = inputs as readonly GpuBuffer[];
    const plan = this.#plan(op, buffers, info);
    if (typeof plan === "string") {
      this.#onLoops.set(op.name, plan);
      return this.#runLoops(op, buffers, info);
    }
    if (typeof plan === "number") return this.#alias(buffers[plan]);
    const loading = loadKernels(plan);
    if (loading)
      await loading.catch((error: unknown) => Promise.reject(this.#problem(`kernels of op ${op.name}`, error)));
    const values: GpuValues[] = [];
    const temporary: GpuValues[] = [];
    try {
      for (const buffer of buffers) values.push(await this.#gpuValues(opened, buffer));
      for (const step of plan) {
        const result = await this.#launch(
          opened,
          op,
          step,
          step.inputs.map((slot) => values[slot].raw),
        );
        values.push(result);
        temporary.push(result);
      }
      return this.#hold(null, temporary.pop()!, info.dtype, size(info.outShape));
    } finally {
      for (const each of temporary) this.#release(each);
    }
  }

  free(buffer: DeviceBuffer): void {
    const { gpu } = buffer as GpuBuffer;
    if (gpu) this.#release(gpu);
    (buffer as GpuBuffer).gpu = null;
    (buffer as GpuBuffer).host = null;
    this.#memory.remove(buffer.bytes);
  }

  async close(): Promise<void> {
    const opened = this.#opened ?? (await this.#opening?.catch(() => null));
    if (!opened) return;
    opened.kernels.destroy();
    await opened.gpu.destroy();
    this.#opened = this.#opening = null;
  }

  async #open(): Promise<Opened> {
    this.#opening ??= openBackend(this.#wanted).then((backend) => ({
      ...backend,
      kernels: new Kernels(backend.gpu, backend.backend, this.#mostKernels),
    }));
    this.#opened = await this.#opening;
    return this.#opened;
  }

  /** The steps, the input to pass on, or the reason for the loops. */
  #plan(op: Op, inputs: readonly GpuBuffer[], info: OpInfo): Exclude<GpuPlan, null> | string {
    if (!op.gpu) return "it has no kernel";
    if (info.dtype !== "float32") return `${info.dtype} stays on the host`;
    if (inputs.some(({ dtype }) => dtype === "float64")) return "float64 stays on the host";
    if (size(info.outShape) === 0 || inputs.some(({ length }) => length === 0)) return "there is nothing to compute";
    if (inputs.some((input) => input.dtype === "int32" && !fitsFloat32(input.host!))) {
      return `an int32 input has values beyond 2^24, which float32 cannot hold`;
    }
    const plan = op.gpu(
      info,
      inputs.map(({ dtype, host }) => (dtype === "int32" ? (host as Int32Array) : null)),
      opsPlanner,
    );
    if (plan === null) return "its kernels do not cover these attributes or shapes";
    const sizes = [...inputs.map(({ length }) => length), ...(typeof plan === "number" ? [] : plan.map((s) => s.size))];
    if (Math.max(...sizes) > mostElements) return "a tensor has more than 2^24 elements";
    return plan;
  }

  async #runLoops(op: Op, inputs: readonly GpuBuffer[], info: OpInfo): Promise<GpuBuffer> {
    const values: Values[] = [];
    for (const input of inputs) values.push(await this.#hostValues(input));
    const y = runLoops(op, values, info);
    return this.#hold(y, null, info.dtype, y.length);
  }

  /** The same values for one more tensor. */
  #alias({ host, gpu, dtype, length }: GpuBuffer): GpuBuffer {
    return this.#hold(host, gpu?.share() ?? null, dtype, length);
  }

  async #launch(opened: Opened, op: Op, step: GpuStep, inputs: readonly GpuJsValues[]): Promise<GpuValues> {
    const { kernel, isNew } = opened.kernels.get(step, inputs);
    const start = isNew ? performance.now() : 0;
    let raw: GpuJsValues;
    try {
      // gpu.js would compile new kernels for a new GPU, to which the values that are held do not belong.
      if (this.#context?.isLost) throw new Error("the GPU was lost");
      raw = await opened.kernels.run(kernel, isNew, inputs);
    } catch (error) {
      const what = `op ${op.name}, kernel ${kernelName(step.kernel)}`;
      throw this.#problem(lacksMemory(error) ? `${what} of ${step.size} elements` : what, error);
    }
    if (isNew) {
      this.compileMs += performance.now() - start;
      this.#checkCompiled(opened, op, step, kernel);
    }
    if (opened.backend === "webgpu") await this.#afterSubmit(kernel);
    return this.#own(raw);
  }

  /** gpu.js runs on the CPU what a backend cannot do, with a line on the console. That would be neither fast nor what was asked for. */
  #checkCompiled({ backend }: Opened, op: Op, step: GpuStep, { kernel }: GpuJsKernel): void {
    const mode = kernel.constructor.mode ?? (kernel.constructor.name === "CPUKernel" ? "cpu" : backend);
    if (kernel.fallbackReason || (mode === "cpu" && backend !== "cpu")) {
      const reason = kernel.fallbackReason ?? "no reason given";
      throw new GraphError(
        `internal: ${this.#name}: gpu.js moved kernel ${kernelName(step.kernel)} to the CPU: ${reason}`,
      );
    }
    if (debugsKernels()) {
      const generated = kernel.compiledSource ?? withoutPrelude(kernel.compiledFragmentShader);
      console.error(`--- ${op.name}: kernel ${kernelName(step.kernel)}, ${step.size} elements, for ${backend}`);
      const made = [step.kernel, ...(step.functions ?? [])].map(kernelSource).join("\n");
      console.error(generated ?? `(compiled without readable source; it was made from)\n${made}`);
    }
  }

  async #afterSubmit({ kernel }: GpuJsKernel): Promise<void> {
    // Each kernel keeps its last result until it runs again: after a step of training, one of everything.
    if (kernel.outputBuffer) {
      if (--kernel.outputBuffer._refs === 0) kernel.outputBuffer.destroy();
      kernel.outputBuffer = null;
    }
    this.#context ??= kernel.context as WebGpuContext;
    const { device } = this.#context;
    if (device.onuncapturederror !== this.#onError) device.onuncapturederror = this.#onError;
    if (++this.#submits % submitsInFlight === 0) await device.queue.onSubmittedWorkDone();
  }

  /** WebGPU reports what went wrong on the GPU, such as no memory left, later and elsewhere; values read afterwards are not to be trusted. */
  readonly #onError = ({ error }: { error: { message: string } }): void => {
    this.#failure ??= error.message;
  };

  /** The values on the GPU; uploads them if they are on the host only. */
  async #gpuValues({ kernels }: Opened, buffer: GpuBuffer): Promise<GpuValues> {
    if (buffer.gpu) return buffer.gpu;
    const host = buffer.host!;
    try {
      buffer.gpu = this.#own(await kernels.upload(host instanceof Float32Array ? host : Float32Array.from(host)));
    } catch (error) {
      throw this.#problem(`upload of ${buffer.length} values`, error);
    }
    return buffer.gpu;
  }

  async #hostValues(buffer: GpuBuffer): Promise<Values> {
    if (buffer.host) return buffer.host;
    const { raw } = buffer.gpu!;
    let values: Float32Array;
    try {
      values = raw instanceof Float32Array ? raw : await raw.toArray();
    } catch (error) {
      throw this.#problem(`read-back of ${buffer.length} values`, error);
    }
    this.#checkHealth();
    if (values.length !== buffer.length) {
      throw new GraphError(`internal: ${this.#name}: read ${values.length} values, not ${buffer.length}`);
    }
    buffer.host = values;
    return values;
  }

  /** Lost contexts and failed allocations read as zeros: better no numbers than wrong ones. */
  #checkHealth(): void {
    const gl = this.#opened?.kernels.gl;
    if (gl?.isContextLost?.()) throw this.#problem("read-back", new Error("the context is lost"));
    const code = gl?.getError() ?? 0;
    if (code !== 0) throw this.#problem("read-back", new Error(`OpenGL error 0x${code.toString(16)}`));
    if (this.#failure) throw this.#problem("read-back", new Error(this.#failure));
  }

  #problem(what: string, error: unknown): GraphError {
    const message = error instanceof Error ? error.message : String(error);
    if (lacksMemory(error)) {
      const text = `${this.#name}: ${what} must fit into memory, but: ${message}; ${lessMemory}`;
      return new OutOfMemoryError(text, { cause: error });
    }
    const remedy = /lost|Invalid GL context/i.test(message)
      ? "; what it held is gone: go on from the last checkpoint, on a new device"
      : "";
    return new GraphError(`${this.#name}: ${what}: ${message}${remedy}`, { cause: error });
  }

  #own(raw: GpuJsValues): GpuValues {
    if (!(raw instanceof Float32Array)) this.liveHandles++;
    return new GpuValues(raw);
  }

  #release(values: GpuValues): void {
    if (values.release() && !(values.raw instanceof Float32Array)) this.liveHandles--;
  }

  #hold(host: Values | null, gpu: GpuValues | null, dtype: DType, length: number): GpuBuffer {
    const bytes = length * (dtype === "float64" ? 8 : 4);
    this.#memory.add(bytes);
    return { host, gpu, dtype, length, bytes };
  }
}

type Opened = OpenBackend & { readonly kernels: Kernels };

interface WebGpuContext {
  readonly isLost: boolean;
  readonly device: {
    onuncapturederror: ((event: { error: { message: string } }) => void) | null;
    readonly queue: { onSubmittedWorkDone(): Promise<void> };
  };
}

/** Whether float32 holds every value exactly. */
function fitsFloat32(values: Values): boolean {
  for (const value of values) if (Math.abs(value) > 2 ** 24) return false;
  return true;
}

/** `GRIDGRAD_DEBUG=kernels` in the environment, or a global of that name in a page. */
function debugsKernels(): boolean {
  const world = globalThis as { process?: { env?: Record<string, string | undefined> }; GRIDGRAD_DEBUG?: string };
  return (world.process?.env?.["GRIDGRAD_DEBUG"] ?? world.GRIDGRAD_DEBUG ?? "").split(",").includes("kernels");
}

/** GLSL from the kernel's own constants on: in front stand some 400 lines of functions that gpu.js puts into every shader. */
function withoutPrelude(shader: string | null | undefined): string | null | undefined {
  const own = shader?.search(/^(const (int|float) constants_|uniform sampler2D user_)/m) ?? -1;
  return own < 0 ? shader : shader!.slice(own);
}
