/** @file The `gpu` device: each op's kernels, through gpu.js. What computes is in gpuEngine.ts, which is loaded with the first value. */

import { checkOptions } from "@gridgrad/core";

import { LazyDevice } from "../lazyDevice.ts";
import type { GpuBackend } from "./gpuBackends.ts";
import type { GpuEngine } from "./gpuEngine.ts";

export interface GpuDeviceOptions {
  /** Compiled kernels to keep; the one that was not used for longest goes first. Default 2048. */
  readonly kernels?: number;
}

export class GpuDevice extends LazyDevice<GpuEngine> {
  readonly name: string;
  readonly #wanted: GpuBackend | "gpu";
  readonly #options: GpuDeviceOptions;

  /** @param wanted - a backend, or `"gpu"` for the best that there is. Opens with the first op, or with `ready()`. */
  constructor(wanted: GpuBackend | "gpu", options?: GpuDeviceOptions) {
    super();
    this.#wanted = wanted;
    this.#options = checkOptions("GpuDevice(wanted)", { kernels: 0 }, options, arguments);
    this.name = wanted === "gpu" ? "gpu" : `gpu:${wanted}`;
  }

  /** Time spent on compiling kernels, ms: their first calls. */
  get compileMs(): number {
    return this.engine?.compileMs ?? 0;
  }

  /** Handles on the GPU that were not deleted yet: textures, buffers. */
  get liveHandles(): number {
    return this.engine?.liveHandles ?? 0;
  }

  /** Compiled kernels that are kept. */
  get kernelCount(): number {
    return this.engine?.kernelCount ?? 0;
  }

  protected override async load(): Promise<GpuEngine> {
    const { GpuEngine } = await import("./gpuEngine.ts");
    return new GpuEngine(this, this.#wanted, this.#options.kernels);
  }
}
