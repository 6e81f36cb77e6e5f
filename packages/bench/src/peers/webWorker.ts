/** @file As much of a browser's `Worker` as a library needs that starts its workers from a blob, on top of Node's worker threads. */

import { resolveObjectURL } from "node:buffer";
import { Worker } from "node:worker_threads";

/** What a browser has in a worker and Node has not. */
const prelude = `
const { parentPort } = require("node:worker_threads");
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on("message", (data) => self.onmessage({ data }));
`;

class WebWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  readonly #started: Promise<Worker>;

  constructor(url: string) {
    this.#started = this.#start(url);
    this.#started.catch((error: Error) => this.onerror?.({ message: error.message }));
  }

  postMessage(message: unknown): void {
    // In the order of the calls: continuations of one promise run in the order in which they were added.
    void this.#started.then((worker) => worker.postMessage(message));
  }

  async #start(url: string): Promise<Worker> {
    const blob = resolveObjectURL(url);
    if (!blob) throw new Error(`Worker: url must be that of a blob, got ${url}`);
    const worker = new Worker(prelude + (await blob.text()), { eval: true });
    worker.on("message", (data: unknown) => this.onmessage?.({ data }));
    worker.on("error", (error) => this.onerror?.({ message: error.message }));
    return worker;
  }
}

/** Makes `globalThis.Worker` known to libraries that are loaded afterwards. */
export function installWebWorker(): void {
  Object.defineProperty(globalThis, "Worker", { value: WebWorker, configurable: true });
}
