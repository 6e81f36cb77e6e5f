import { setDevice, tensor } from "@gridgrad/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { SGD } from "./optimizer.ts";
import { Parameter } from "./slot.ts";

beforeEach(() => void setDevice("reference")); // it answers at once
afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** Trains until `stop` is aborted, `most` steps at most, and returns how many were done. */
async function train(stop: AbortSignal, most: number): Promise<number> {
  const p = new Parameter(tensor([1]));
  const optimizer = new SGD([p], { lr: 0.1 });
  for (let step = 0; step < most; step++) {
    if (stop.aborted) return step;
    await optimizer.step(p.tensor.mul(p.tensor).sum());
  }
  return most;
}

test("what was due before a training loop happens during it, and can stop it", async () => {
  const stop = new AbortController();
  setImmediate(() => stop.abort());
  expect(await train(stop.signal, 100)).toBe(1);

  const later = new AbortController();
  setTimeout(() => later.abort(), 1);
  expect(await train(later.signal, 5000)).toBeLessThan(5000);
});

test("a signal to the process is noticed between two steps", async () => {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGUSR2", onSignal);
  process.kill(process.pid, "SIGUSR2");
  expect(await train(stop.signal, 5000)).toBeLessThan(5000);
  process.off("SIGUSR2", onSignal);
});

test("turns come in order, in Node and where there are messages only", async () => {
  for (const without of [[], ["setImmediate"]]) {
    for (const name of without) vi.stubGlobal(name, undefined);
    vi.resetModules();
    const { turnOfEventLoop } = await import("./eventLoop.ts");
    const order: string[] = [];
    const timer = new Promise<void>((over) => setTimeout(over, 0)).then(() => order.push("timer"));
    const turns = [1, 2].map((i) => turnOfEventLoop().then(() => order.push(`turn ${i}`)));
    for (let i = 0; i < 10; i++) await Promise.resolve();
    expect(order).toEqual([]); // promises alone are no turn
    await Promise.all([timer, ...turns]);
    expect(order.filter((what) => what !== "timer")).toEqual(["turn 1", "turn 2"]);
  }
});
