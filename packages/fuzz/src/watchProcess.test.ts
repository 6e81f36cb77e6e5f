import { expect, test } from "vitest";

import { progressDescriptor, watchProcess } from "./watchProcess.ts";

/** Runs a program that writes down that it is at case 7 of ops. */
function watch(program: string, longestMs = 60_000) {
  const write = `require("node:fs").writeSync(${progressDescriptor}, "ops 7".padEnd(20), 0);`;
  return watchProcess(["-e", `${write} ${program}`], { longestMs });
}

test("a program that comes to its end has its exit code", async () => {
  expect(await watch("process.exitCode = 1")).toEqual({ code: 1 });
});

test("of a program that ends in the middle it is known where it was", async () => {
  expect(await watch("process.kill(process.pid, 'SIGKILL')")).toEqual({
    problem: "the process has ended with SIGKILL",
    at: "ops 7",
  });
  expect(await watch("process.exit(134)")).toEqual({
    problem: "the process has ended with exit code 134",
    at: "ops 7",
  });
});

test("a program that hangs is ended, and it is known where it was", async () => {
  expect(await watch("for (;;);", 2000)).toEqual({ problem: "a case did not end within 2 s", at: "ops 7" });
});
