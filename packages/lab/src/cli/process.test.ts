import { PassThrough, Writable } from "node:stream";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Screen } from "../testing/screen.ts";
import type { Io } from "./io.ts";
import { type Streams, runOn } from "./process.ts";
import { Progress } from "./progress.ts";
import { tellError } from "./tellError.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

/** A stream on which every write fails. */
function failing(code: string, message: string, isTTY = false): Streams["stdout"] {
  const stream = new Writable({
    autoDestroy: false, // as the streams of a process
    write: (_chunk, _encoding, written) => written(Object.assign(new Error(`${code}: ${message}, write`), { code })),
  });
  return Object.assign(stream, { isTTY });
}

/** A command that reports what it does, and prints a result. */
async function command(io: Io): Promise<number> {
  const progress = new Progress(io, "step", 0, 2, "steps");
  for (const step of [1, 2]) {
    vi.advanceTimersByTime(500);
    progress.update(step, "loss 0.5000");
    io.note(`a note after step ${step}`);
    await new Promise((turned) => setImmediate(turned)); // errors of streams come now
  }
  progress.stop();
  io.out("the result");
  return io.exitCode;
}

const read = (stream: PassThrough): string => String(stream.read() ?? "");

test("results and notes go to their streams, where there is no terminal line by line", async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  expect(await runOn({ stdout, stderr }, command)).toBe(0);
  expect(read(stdout)).toBe("the result\n");
  expect(read(stderr)).toMatchInlineSnapshot(`
    "step 1/2  loss 0.5000  2.00 steps/s  0:01 elapsed, 0:01 left
    a note after step 1
    step 2/2  loss 0.5000  2.00 steps/s  0:01 elapsed, 0:00 left
    a note after step 2
    "
  `);
});

test.each([60, 80, 140])(
  "on a terminal of %i columns notes stand above the bar and the result below it",
  async (columns) => {
    const screen = new Screen(columns);
    expect(await runOn({ stdout: screen, stderr: screen }, command)).toBe(0);
    const bar = {
      60: "step 2/2 loss 0.5000  2.00 steps/s  0:01 elapsed, 0:00 left",
      80: "step 2/2 [=================] loss 0.5000  2.00 steps/s  0:01 elapsed, 0:00 left",
      140: "step 2/2 [========================] loss 0.5000  2.00 steps/s  0:01 elapsed, 0:00 left",
    }[columns];
    expect(await screen.text()).toEqual(["a note after step 1", "a note after step 2", bar, "the result"]);
  },
);

test("a quiet command prints its results and its errors, and draws no bar", async () => {
  const quiet = (io: Io): Promise<number> => {
    io.quiet = true;
    tellError(io, "an error");
    return command(io);
  };
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  expect(await runOn({ stdout, stderr }, quiet)).toBe(0);
  expect([read(stdout), read(stderr)]).toEqual(["the result\n", "gridgrad: an error\n"]);
  const screen = new Screen(80);
  expect(await runOn({ stdout: screen, stderr: screen }, quiet)).toBe(0);
  expect(await screen.text()).toEqual(["gridgrad: an error", "the result"]);
});

test("a terminal shows colours, and a file beside it has none", async () => {
  const painted = (io: Io): Promise<number> => {
    io.out(io.paint.out("green", "3 passed"));
    tellError(io, "an error");
    return Promise.resolve(0);
  };
  for (const name of ["NO_COLOR", "FORCE_COLOR", "TERM"]) vi.stubEnv(name, undefined);
  const [screen, file] = [new Screen(80), new PassThrough()];
  await runOn({ stdout: file, stderr: screen }, painted);
  expect(read(file)).toBe("3 passed\n");
  expect(await screen.text()).toEqual(["gridgrad: an error"]);
  expect(await screen.coloursOf(0)).toEqual(
    [..."rrrrrrrrr", ..."         "].map((letter) => (letter === "r" ? 1 : -1)),
  );
  vi.stubEnv("NO_COLOR", "1");
  const plain = new Screen(80);
  await runOn({ stdout: plain, stderr: plain }, painted);
  expect(await plain.text()).toEqual(["3 passed", "gridgrad: an error"]);
  expect(new Set(await plain.coloursOf(1))).toEqual(new Set([-1]));
  vi.unstubAllEnvs();
});

test("a result that is printed while a bar is there stands above it", async () => {
  const screen = new Screen(80);
  await runOn({ stdout: screen, stderr: screen }, async (io) => {
    new Progress(io, "step", 0, 2, "steps").update(1);
    io.out("the result");
    return 0;
  });
  expect((await screen.text())[0]).toBe("the result");
});

test("a terminal that can only print gets lines", async () => {
  vi.stubEnv("TERM", "dumb");
  const screen = new Screen(80);
  await runOn({ stdout: screen, stderr: screen }, command);
  vi.unstubAllEnvs();
  expect((await screen.text())[0]).toMatch(/^step 1\/2 {2}loss/);
});

test.each([
  ["a pipe whose reader is gone", "EPIPE", "broken pipe", false],
  ["a terminal that is gone", "EIO", "i/o error", true],
])("%s ends nothing", async (_what, code, message, isTTY) => {
  const stderr = new PassThrough();
  expect(await runOn({ stdout: failing(code, message, isTTY), stderr }, command)).toBe(0);
  expect(read(stderr)).toContain("a note after step 2");
  const stdout = new PassThrough();
  expect(await runOn({ stdout, stderr: failing(code, message, isTTY) }, command)).toBe(0);
  expect(read(stdout)).toBe("the result\n");
});

test("a result that could not be written is told in one line, with exit code 1", async () => {
  const stderr = new PassThrough();
  const full = (): Streams["stdout"] => failing("ENOSPC", "no space left on device");
  expect(await runOn({ stdout: full(), stderr }, command)).toBe(1);
  expect(read(stderr).trim().split("\n").at(-1)).toMatchInlineSnapshot(
    `"gridgrad: the standard output must take all that is printed, but ENOSPC: no space left on device, write"`,
  );
  const failed = async (io: Io): Promise<number> => (await command(io)) + 3;
  expect(await runOn({ stdout: full(), stderr }, failed)).toBe(3);
});

test("a disk that breaks behind the standard output is told, and one behind the standard error is not", async () => {
  const stderr = failing("ENOSPC", "no space left on device");
  const stdout = new PassThrough();
  expect(await runOn({ stdout, stderr }, command)).toBe(0);
  expect(await runOn({ stdout: failing("EIO", "i/o error"), stderr }, command)).toBe(1);
});
