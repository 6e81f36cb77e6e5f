/**
 * @file A device whose code is loaded when the first value needs it: what computes, its engine, is large, and a page that opens
 * should not wait for it.
 *
 * The device itself is there at once, with its name and its counters. Until the engine has come it answers with promises, and from then on
 * as the engine does.
 */

import {
  type Device,
  type DeviceBuffer,
  GraphError,
  MemoryCounter,
  type Op,
  type OpInfo,
  showDevice,
  Shown,
  type Values,
} from "@gridgrad/core";

/** What an engine counts and tells in, which is there before it. */
export interface Counters {
  readonly memory: MemoryCounter;
  /** Ops that ran on the loops instead of kernels of the device, with the reason. */
  readonly onLoops: Map<string, string>;
}

/** What does the work of a device. */
export type Engine = Pick<Device, "upload" | "download" | "run" | "free" | "close"> & { ready(): Promise<string> };

export abstract class LazyDevice<E extends Engine> extends Shown implements Device, Counters {
  abstract readonly name: string;
  readonly memory = new MemoryCounter();
  readonly onLoops = new Map<string, string>();
  #engine: E | null = null;
  #loading: Promise<E> | null = null;

  /** Makes the engine, at once where its code is there. */
  protected abstract load(): E | Promise<E>;

  toString(): string {
    return showDevice(this);
  }

  /** Resolves when the device can run, to a line that says what it runs on. */
  async ready(): Promise<string> {
    return (await this.open()).ready();
  }

  upload(values: Values): DeviceBuffer | Promise<DeviceBuffer> {
    const engine = this.#engine ?? this.open();
    return engine instanceof Promise ? engine.then((e) => e.upload(values)) : engine.upload(values);
  }

  download(buffer: DeviceBuffer): Values | Promise<Values> {
    return this.#engine!.download(buffer); // which has made the buffer
  }

  run(op: Op, inputs: readonly DeviceBuffer[], info: OpInfo): DeviceBuffer | Promise<DeviceBuffer> {
    const engine = this.#engine ?? this.open();
    return engine instanceof Promise ? engine.then((e) => e.run(op, inputs, info)) : engine.run(op, inputs, info);
  }

  free(buffer: DeviceBuffer): void {
    this.#engine!.free(buffer);
  }

  async close(): Promise<void> {
    const engine = this.#engine ?? (await this.#loading?.catch(() => null));
    await engine?.close();
  }

  /** The engine, once it is there. */
  protected get engine(): E | null {
    return this.#engine;
  }

  /** The engine, which is loaded where it is not there. */
  protected open(): E | Promise<E> {
    if (this.#engine) return this.#engine;
    if (this.#loading) return this.#loading;
    const engine = this.load();
    if (!(engine instanceof Promise)) return (this.#engine = engine);
    this.#loading = engine.then(
      (loaded) => (this.#engine = loaded),
      (error: unknown) => {
        this.#loading = null; // the next value tries again
        throw new GraphError(
          `${this.name}: its code must load with the first value, but: ${(error as Error).message}; ` +
            "serve every file that the bundler has made, and reload the page",
          { cause: error },
        );
      },
    );
    return this.#loading;
  }
}
