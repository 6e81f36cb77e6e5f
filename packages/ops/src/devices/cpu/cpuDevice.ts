/**
 * @file The `cpu` device: SIMD kernels in WebAssembly, on all cores of the machine. What computes is in cpuEngine.ts.
 *
 * A page loads that with the first value. In Node it comes with the package (cpuEngine.node.ts), and the device answers at once.
 */

import { checkOptions, type DeviceBuffer, eager, GraphError, type Values } from "@gridgrad/core";

import { LazyDevice } from "../lazyDevice.ts";
import type * as cpuEngine from "./cpuEngine.ts";

export interface CpuDeviceOptions {
  /** Threads that compute, with the calling one. Default: `GRIDGRAD_THREADS`, else as many as the machine has. */
  readonly threads?: number;
}

/** What the device needs of its memory. */
export interface CpuFootprint {
  /** Bytes that are handed out, rounded up to whole blocks. */
  readonly liveBytes: number;
  /** Where the highest byte stood that was ever handed out: with the gaps below it, what the device has needed. */
  readonly peakBytes: number;
  /** Starts a new measurement of `peakBytes`, from what is handed out now. */
  resetPeak(): void;
}

let provided: typeof cpuEngine | null = null;

/** Makes the engine's code known, so that no device has to load it. `null`: devices load it, as in a page. */
export function provideCpuEngine(module: typeof cpuEngine | null): void {
  provided = module;
}

export class CpuDevice extends LazyDevice<cpuEngine.CpuEngine> {
  readonly name = "cpu";
  readonly #threads: number | undefined;

  /** Opens with the first value, or with `ready()`; threads start with the first work that is worth it. */
  constructor(options?: CpuDeviceOptions) {
    super();
    const { threads } = checkOptions("CpuDevice()", { threads: 1 }, options, arguments);
    if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
      throw new GraphError(`cpu: threads must be an integer of at least 1, got ${threads}`);
    }
    this.#threads = threads;
  }

  /** Threads that compute by now, with the calling one: workers start in the background with the first work that is worth it. */
  get runningThreads(): number {
    return this.#engineAtOnce()?.runningThreads ?? 1;
  }

  /** What the device needs of its memory. */
  get footprint(): CpuFootprint {
    const engine = this.#engineAtOnce();
    if (engine) return engine.footprint;
    const later = (): CpuFootprint | undefined => this.engine?.footprint;
    return {
      get liveBytes() {
        return later()?.liveBytes ?? 0;
      },
      get peakBytes() {
        return later()?.peakBytes ?? 0;
      },
      resetPeak: () => later()?.resetPeak(),
    };
  }

  override upload(values: Values): DeviceBuffer | Promise<DeviceBuffer> {
    if (eager() && !this.#engineAtOnce()) {
      throw new GraphError(
        "cpu: eager mode must find the kernels loaded, got a page that loads them with the first value; " +
          "await getDevice().ready() before the first op",
      );
    }
    return super.upload(values);
  }

  protected override load(): cpuEngine.CpuEngine | Promise<cpuEngine.CpuEngine> {
    const make = ({ CpuEngine }: typeof cpuEngine): cpuEngine.CpuEngine => new CpuEngine(this, this.#threads);
    return provided ? make(provided) : import("./cpuEngine.ts").then(make);
  }

  /** The engine, unless it would have to be loaded. */
  #engineAtOnce(): cpuEngine.CpuEngine | null {
    return this.engine ?? (provided ? (this.open() as cpuEngine.CpuEngine) : null);
  }
}
