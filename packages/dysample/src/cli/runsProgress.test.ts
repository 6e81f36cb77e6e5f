import { PassThrough } from "node:stream";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { runsOf } from "../compare/comparison.ts";
import { comparisonOf } from "../compare/comparisonOf.ts";
import { collectLines } from "../testing/runCommand.ts";
import { RunsProgress } from "./runsProgress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const runs = runsOf(comparisonOf({ upsamplers: ["nearest", "dysample"], seeds: [0], config: { steps: 10 } }));
const [nearest, dysample] = runs;

/** One run goes on from step 4 to its end, the other one trains two steps, dies, does them again, and fails. */
function play({ events }: RunsProgress): void {
  const steps = (run: typeof nearest, first: number, last: number): void => {
    for (let step = first; step <= last; step++) {
      vi.advanceTimersByTime(1000);
      events.onProgress!(run, { step, steps: 10, loss: 1 / step });
    }
  };
  events.onStart!(nearest, 4);
  events.onStart!(dysample, 0);
  steps(dysample, 1, 2);
  events.onRetry!(dysample, "its process was ended by SIGKILL");
  events.onStart!(dysample, 0);
  steps(nearest, 5, 10);
  events.onEvaluated!(nearest, 64);
  vi.advanceTimersByTime(1000);
  void events.onEnd!(nearest, { status: "complete" });
  steps(dysample, 1, 2);
  void events.onEnd!(dysample, { status: "failed", message: "not finite", retry: false });
}

test("a log gets a line for all runs now and then, and one for each that ends", () => {
  const { io, err: lines } = collectLines();
  const progress = new RunsProgress(io, runs);
  play(progress);
  progress.stop();
  expect(lines).toMatchInlineSnapshot(`
    [
      "step 5/20  0 of 2 runs  1.00 steps/s  0:01 elapsed, 0:15 left",
      "step 6/20  0 of 2 runs  1.00 steps/s  0:02 elapsed, 0:14 left",
      "dysample-seed0: its process was ended by SIGKILL; trying once more from its checkpoint",
      "step 5/20  0 of 2 runs  1.00 steps/s  0:03 elapsed, 0:15 left",
      "step 6/20  0 of 2 runs  1.00 steps/s  0:04 elapsed, 0:14 left",
      "step 7/20  0 of 2 runs  1.00 steps/s  0:05 elapsed, 0:13 left",
      "step 8/20  0 of 2 runs  1.00 steps/s  0:06 elapsed, 0:12 left",
      "step 9/20  0 of 2 runs  1.00 steps/s  0:07 elapsed, 0:11 left",
      "step 10/20  0 of 2 runs  1.00 steps/s  0:08 elapsed, 0:10 left",
      "nearest-seed0 is complete",
      "step 11/20  1 of 2 runs  0.900 steps/s  0:10 elapsed, 0:10 left",
      "step 12/20  1 of 2 runs  0.909 steps/s  0:11 elapsed, 0:09 left",
      "dysample-seed0 failed: not finite",
    ]
  `);
});

test("a terminal gets a bar for all and one for each run under way, and the lines above them", () => {
  const stream = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 120,
    cursorTo() {},
    clearLine() {},
    moveCursor() {},
    clearScreenDown() {},
  });
  const { io, err: lines } = collectLines();
  const progress = new RunsProgress({ ...io, terminal: stream as unknown as NodeJS.WriteStream }, runs);
  play(progress);
  progress.stop();
  expect(lines).toEqual([]);
  const drawn = String(stream.read());
  expect(drawn).toContain(
    "all runs       6/20 [=======-----------------] 0 of 2 runs  1.00 steps/s  0:02 elapsed, 0:14 left",
  );
  expect(drawn).toContain("nearest-seed0  10/10 [========================] evaluation 64/256");
  expect(drawn).toContain("dysample-seed0 2/10 [=====-------------------] loss 0.5000");
  expect(drawn).toContain("dysample-seed0: its process was ended by SIGKILL; trying once more from its checkpoint\n");
  expect(drawn).toContain("nearest-seed0 is complete\n");
  expect(drawn).toContain("dysample-seed0 failed: not finite\n");
});
