import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { collectLines } from "../testing/runCommand.ts";
import { Screen } from "../testing/screen.ts";
import { formatTime, Progress } from "./progress.ts";
import { StatusLines } from "./statusLines.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

test("a log gets about twenty lines", () => {
  const { io, err: lines } = collectLines();
  const progress = new Progress(io, "step", 0, 400, "steps");
  for (let step = 1; step <= 400; step++) {
    vi.advanceTimersByTime(500);
    progress.update(step, `loss ${step}`);
  }
  progress.stop();
  expect(lines).toHaveLength(20);
  expect(lines[0]).toBe("step 20/400  loss 20  2.00 steps/s  0:10 elapsed, 3:10 left");
  expect(lines[19]).toBe("step 400/400  loss 400  2.00 steps/s  3:20 elapsed, 0:00 left");
});

test("a log is not silent for longer than 15 seconds while steps are done", () => {
  const { io, err: lines } = collectLines();
  const progress = new Progress(io, "step", 10, 1000, "steps");
  for (let step = 11; step <= 20; step++) {
    vi.advanceTimersByTime(8000);
    progress.update(step);
  }
  expect(lines).toEqual([
    "step 12/1000  0.125 steps/s  0:16 elapsed, 2:11:44 left",
    "step 14/1000  0.125 steps/s  0:32 elapsed, 2:11:28 left",
    "step 16/1000  0.125 steps/s  0:48 elapsed, 2:11:12 left",
    "step 18/1000  0.125 steps/s  1:04 elapsed, 2:10:56 left",
    "step 20/1000  0.125 steps/s  1:20 elapsed, 2:10:40 left",
  ]);
});

test("a terminal gets a bar with loss, rate and times, and no lines", async () => {
  const screen = new Screen(120);
  const { io, err: lines } = collectLines();
  const progress = new Progress({ ...io, terminal: new StatusLines(screen) }, "step", 0, 4, "steps");
  vi.advanceTimersByTime(1000);
  progress.update(2, "loss 0.5000");
  progress.stop();
  progress.stop();
  expect(lines).toEqual([]);
  expect(await screen.text()).toEqual([
    "step 2/4 [============------------] loss 0.5000  2.00 steps/s  0:01 elapsed, 0:01 left",
  ]);
});

test.each([
  [140, "step 398/400 [========================] loss 0.1234  2.00 steps/s  3:19 elapsed, 0:01 left"],
  [80, "step 398/400 [=============] loss 0.1234  2.00 steps/s  3:19 elapsed, 0:01 left"],
  [60, "step 398/400 loss 0.1234  2.00 steps/s  3:19 elapsed, 0:01 "],
])("a bar on %i columns takes one row", async (columns, row) => {
  const screen = new Screen(columns);
  const { io } = collectLines();
  const progress = new Progress({ ...io, terminal: new StatusLines(screen) }, "step", 0, 400, "steps");
  for (let step = 1; step <= 398; step++) {
    vi.advanceTimersByTime(500);
    progress.update(step, "loss 0.1234");
  }
  expect(await screen.text()).toEqual([row]);
});

test("times are minutes and seconds, hours where there are any", () => {
  expect([0, 59_499, 59_500, 3_600_000, NaN].map(formatTime)).toEqual(["0:00", "0:59", "1:00", "1:00:00", "?"]);
});
