/**
 * @file What JavaScript and WebAssembly can do on this machine: `copy`, an array of `attrs.bytes` into another one (V8's memmove), and
 * `multiplyAdd`, `attrs.macs` of them in registers. Each thread does its part, on arrays of its own, all at the same time.
 */

import { Worker } from "node:worker_threads";

import { macsPerTurn, multiplyAddModule } from "./multiplyAddModule.ts";
import type { Contestant, Task } from "./task.ts";

/** A thread's part of the work: so many numbers to copy, or so many turns of the loop of `module`. */
interface Part {
  readonly numbers?: number;
  readonly turns?: number;
  readonly module?: Uint8Array;
  /** Shared: the number of the round, and how many threads are done with it. */
  readonly control: Int32Array;
}

const [round, done] = [0, 1];

/** A thread: waits for the next round, does its part, and tells. As text, since Node starts workers from JavaScript only. */
const thread = `
const { parentPort, workerData: { numbers, turns, module, control } } = require("node:worker_threads");
let work;
if (numbers) {
  const [from, to] = [new Float32Array(numbers).fill(1), new Float32Array(numbers).fill(2)];
  work = () => to.set(from);
} else {
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(module)).exports;
  work = () => {
    if (!(run(turns) > 0)) throw new Error("internal: machine: the sum must be positive");
  };
}
let seen = Atomics.load(control, ${round});
parentPort.postMessage("ready");
for (;;) {
  Atomics.wait(control, ${round}, seen++);
  work();
  Atomics.add(control, ${done}, 1);
  Atomics.notify(control, ${done});
}`;

export async function openMachine(threads: number): Promise<Contestant> {
  let workers: Worker[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.terminate()));
    workers = [];
  };
  return {
    version: `V8 ${process.versions.v8}`,
    threads: String(threads),
    async prepare(task) {
      await stop();
      const control = new Int32Array(new SharedArrayBuffer(8));
      workers = Array.from({ length: threads }, () => {
        return new Worker(thread, { eval: true, workerData: partOf(task, threads, control) });
      });
      await Promise.all(
        workers.map((worker) => {
          return new Promise((ready, failed) => worker.once("message", ready).once("error", failed));
        }),
      );
      return {
        outputs: async () => ({}),
        run() {
          Atomics.store(control, done, 0);
          Atomics.add(control, round, 1);
          Atomics.notify(control, round);
          for (let n = 0; n < threads; n = Atomics.load(control, done)) {
            const late = Atomics.wait(control, done, n, 60_000) === "timed-out"; // ms; a copy takes less than one second
            if (late) throw new Error("internal: machine: a thread must end its part within a minute");
          }
          return () => {};
        },
        release() {},
      };
    },
    close: stop,
  };
}

function partOf({ work, attrs }: Task, threads: number, control: Int32Array): Part {
  if (work === "copy") return { numbers: Math.ceil(Number(attrs.bytes) / 4 / threads), control };
  if (work !== "multiplyAdd") throw new Error(`internal: machine: work must be copy or multiplyAdd, got ${work}`);
  return { turns: Math.ceil(Number(attrs.macs) / macsPerTurn / threads), module: multiplyAddModule(), control };
}
