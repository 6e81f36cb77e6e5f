import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { runsOf } from "../compare/comparison.ts";
import { comparisonOf } from "../compare/comparisonOf.ts";
import { collectLines } from "../testing/runCommand.ts";
import { Screen } from "../testing/screen.ts";
import type { Io } from "./io.ts";
import { RunsProgress } from "./runsProgress.ts";
import { StatusLines } from "./statusLines.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const runs = runsOf(comparisonOf({ upsamplers: ["nearest", "dysample"], seeds: [0], config: { steps: 10 } }));
const [nearest, dysample] = runs;

function ioOn(screen: Screen): Io {
  const terminal = new StatusLines(screen);
  return { ...collectLines().io, terminal, note: (line) => terminal.above(() => screen.write(`${line}\n`)) };
}

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

test.each([140, 80, 60])(
  "a terminal of %i columns gets a bar for all and one for each run under way",
  async (columns) => {
    const screen = new Screen(columns);
    const io = ioOn(screen);
    const { events } = new RunsProgress(io, runs);
    events.onStart!(nearest, 4);
    events.onStart!(dysample, 0);
    for (let step = 1; step <= 5; step++) {
      vi.advanceTimersByTime(1000);
      events.onProgress!(dysample, { step, steps: 10, loss: 1 / step });
    }
    const rows = [
      "all runs       9/20 [===========-------------] 0 of 2 runs  1.00 steps/s  0:05 elapsed, 0:11 left",
      "nearest-seed0  4/10 [==========--------------] ",
      "dysample-seed0 5/10 [============------------] loss 0.2000",
    ];
    const narrow: Record<number, string[]> = {
      140: rows,
      80: ["all runs       9/20 0 of 2 runs  1.00 steps/s  0:05 elapsed, 0:11 left", ...rows.slice(1)],
      60: ["all runs       9/20 0 of 2 runs  1.00 steps/s  0:05 elapsed", ...rows.slice(1)],
    };
    expect(await screen.text()).toEqual(narrow[columns]);
  },
);

test("what is told of runs stands above the bars, and nothing is left of those", async () => {
  const screen = new Screen(80);
  const progress = new RunsProgress(ioOn(screen), runs);
  play(progress);
  const told = [
    "dysample-seed0: its process was ended by SIGKILL; trying once more from its chec",
    "kpoint",
    "nearest-seed0 is complete",
    "dysample-seed0 failed: not finite",
  ];
  const bar = "all runs       12/20 2 of 2 runs  0.909 steps/s  0:11 elapsed, 0:09 left";
  expect(await screen.text()).toEqual([...told, bar]);
  progress.stop();
  expect(await screen.text()).toEqual(told);
});
