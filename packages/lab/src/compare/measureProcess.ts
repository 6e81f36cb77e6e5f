/** @file The process that measures: it is told by its parent what to measure, see measure.ts, and never outlives it. */

import { type Device, openDevice, OutOfMemoryError, setDevice } from "@gridgrad/core";
import { createTask, type TrainConfig } from "@gridgrad/dysample";
import { compileMs } from "@gridgrad/dysample/internal";
import { median } from "@gridgrad/dysample/internal/node";
import { Adam } from "@gridgrad/nn";

import type { Measurement, MeasureReport, MeasureRequest } from "./measure.ts";
import { leaveTerminalToParent } from "./sourceProcess.ts";

/** Time and memory do not depend on it, and with a small one nothing can diverge. */
const lr = 1e-6;

/** Steps for the memory: the second one begins with the optimiser's state, which stays. */
const warmUp = 2;

leaveTerminalToParent();
process.on("disconnect", () => process.exit()); // the parent is gone: nobody waits for this
process.on("message", (request: MeasureRequest) => {
  void measureAll(request)
    .then(
      (measurements) => ({ status: "measured" as const, measurements }),
      (error: Error) => ({
        status: "failed" as const,
        message: (error instanceof OutOfMemoryError ? undefined : error.stack) ?? error.message,
      }),
    )
    .then((outcome) => report({ type: "outcome", outcome }, () => process.exit()));
});

async function measureAll({ configs, rounds }: MeasureRequest): Promise<Measurement[]> {
  const peaks: number[] = [];
  for (const config of configs) peaks.push(await peakOf(config));

  const device = setDevice(configs[0].device);
  await device.ready?.();
  const steps = await Promise.all(configs.map(stepper));
  const times: number[][] = configs.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, step] of steps.entries()) {
      const start = performance.now() - compileMs();
      await step(round);
      const ms = performance.now() - compileMs() - start;
      if (round > 0) times[i].push(ms); // the first steps start threads and fill caches
    }
    report({ type: "round", done: round });
  }
  return configs.map((_, i) => ({ msPerStep: median(times[i]), peakBytes: peaks[i] }));
}

/** Most bytes that training takes on a device of its own. */
async function peakOf(config: TrainConfig): Promise<number> {
  const device = setDevice(openDevice(config.device));
  await device.ready?.();
  const step = await stepper(config);
  for (let i = 0; i < warmUp; i++) await step(i);
  const peak = peakBytes(device);
  await device.close();
  return peak;
}

/** What a device that lays out its memory has taken of it, gaps and scratch memory included; of others, the sum of what tensors hold. */
function peakBytes({ footprint, memory }: Device): number {
  return footprint?.peakBytes ?? memory.peakBytes;
}

/** Trains a network of its own, one step a call. */
async function stepper(config: TrainConfig): Promise<(step: number) => Promise<unknown>> {
  const task = await createTask(config);
  const optimizer = new Adam(task.parameters, { lr });
  return (step) => optimizer.step(task.loss(step));
}

function report(message: MeasureReport, sent = () => {}): void {
  if (process.connected) process.send!(message, undefined, undefined, sent);
}
