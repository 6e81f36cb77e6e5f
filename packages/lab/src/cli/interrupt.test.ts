import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { interruptCode, interruptSignal } from "./interrupt.ts";

const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const before = names.map((name) => process.listeners(name));

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  names.forEach((name, i) => {
    for (const listener of process.listeners(name)) if (!before[i].includes(listener)) process.off(name, listener);
  });
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("the first %s asks to stop, the second one ends the process", (name, code) => {
  const onFirst = vi.fn();
  const signal = interruptSignal(onFirst);
  expect(signal.aborted).toBe(false);
  process.emit(name);
  expect(signal.aborted).toBe(true);
  expect(onFirst).toHaveBeenCalledTimes(1);
  expect(interruptCode(signal)).toBe(code);

  vi.advanceTimersByTime(1500);
  process.emit(name);
  expect(process.exit).toHaveBeenCalledWith(code);
  expect(onFirst).toHaveBeenCalledTimes(1);
});

test("a signal that comes twice at the same time, by the terminal and by npm, counts once", () => {
  interruptSignal(() => {});
  process.emit("SIGINT");
  vi.advanceTimersByTime(50);
  process.emit("SIGINT");
  expect(process.exit).not.toHaveBeenCalled();
});
