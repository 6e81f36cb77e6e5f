/**
 * @file A page that computes on the `cpu` device, bundled as an application would be: devices/cpu/page.test.ts builds and opens it.
 *
 * `?threads=3` chooses the number of threads.
 */

import { type Device, readValues, realize, ReferenceDevice, type Values, withDevice } from "@gridgrad/core";
import { CpuDevice } from "@gridgrad/ops";

import { relativeError, sameBits, threadedNetwork } from "../threadedNetwork.ts";

/** What the page writes. */
export interface CpuPageResult {
  readonly ready: string;
  /** Threads that have started, with the page's own. */
  readonly running: number;
  /** Largest |got - wanted| of each result, relative to its largest value. */
  readonly errors: readonly number[];
  /** Whether a single thread gives the same to the bit, and the same threads once more. */
  readonly sameOnOneThread: boolean;
  readonly sameAgain: boolean;
  readonly onLoops: readonly string[];
}

async function valuesOn(device: Device): Promise<Values[]> {
  return withDevice(device, async () => {
    const results = threadedNetwork();
    await realize(...results);
    return Promise.all(results.map((t) => readValues(t)));
  });
}

/** Workers start in the background, on a busy machine within seconds. */
const mostStartMs = 60_000;

const { crossOriginIsolated, document, location } = globalThis as unknown as {
  crossOriginIsolated: boolean;
  document: { title: string; querySelector(selector: string): { textContent: string } };
  location: { search: string };
};

async function run(): Promise<CpuPageResult> {
  const threads = Number(new URLSearchParams(location.search).get("threads"));
  const device = new CpuDevice({ threads });
  const ready = await device.ready();
  await valuesOn(device);
  const start = performance.now();
  while (device.runningThreads < (crossOriginIsolated ? threads : 1) && performance.now() - start < mostStartMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const got = await valuesOn(device);
  const wanted = await valuesOn(new ReferenceDevice());
  const errors = got.map((values, k) => relativeError(values, wanted[k]));
  const sameOnOneThread = sameBits(got, await valuesOn(new CpuDevice({ threads: 1 })));
  const sameAgain = sameBits(got, await valuesOn(device));
  const running = device.runningThreads;
  await device.close();
  return { ready, running, errors, sameOnOneThread, sameAgain, onLoops: [...device.onLoops.keys()] };
}

document.querySelector("pre").textContent = await run().then(
  (result) => JSON.stringify(result),
  (error: Error) => JSON.stringify({ error: error.stack }),
);
document.title = "done";
