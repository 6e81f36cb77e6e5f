/** @file A process for a test: it computes with two threads, idles, and prints the cores that it used in both. It must end by itself. */

import { Random, realize, setDevice } from "@gridgrad/core";

import { CpuDevice } from "../devices/cpu/cpuDevice.ts";
import { conv1x1 } from "../ops/conv1x1.ts";

setDevice(new CpuDevice({ threads: 2 }));
const x = new Random(0).normal([1, 64, 100, 100]);
const weight = new Random(0).normal([64, 64, 1, 1]);

const busy = await coresUsed(async () => {
  for (let run = 0; run < 20; run++) await realize(conv1x1(x, weight));
});
const idle = await coresUsed(() => new Promise((resolve) => setTimeout(resolve, 500)));
console.log(JSON.stringify({ busy, idle }));

/** Time on all cores, in times of the time that passed. */
async function coresUsed(body: () => Promise<void>): Promise<number> {
  const start = performance.now();
  const before = process.cpuUsage();
  await body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / (performance.now() - start);
}
