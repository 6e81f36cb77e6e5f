import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, describe, expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { collectLines, type CommandResult, runCommand, startCommand } from "../testing/runCommand.ts";
import { main } from "./program.ts";

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gridgrad-train-"));
  process.chdir(base);
});

const tiny = ["--steps", "3", "--batch", "1", "--eval-images", "2", "--upsampler", "bilinear"];

test("a run tells its progress, its results and its files", async () => {
  const { code, out, err } = await runCommand("train", ...tiny, "--out", "run");
  expect(code).toBe(0);
  expect(out.split("\n")).toEqual([
    expect.stringMatching(/^bilinear: mIoU 0\.\d{4}, boundary IoU 0\.\d{4}, pixel accuracy 0\.\d{4}$/),
    expect.stringMatching(/^44822 parameters, 0 of them for upsampling; \d+ ms per training step \(median\)$/),
    "  run/weights.safetensors",
    "  run/checkpoint.safetensors",
    "  run/metrics.jsonl",
    "  run/result.json",
    "  run/strip.png",
  ]);
  for (const step of [1, 2, 3]) expect(err).toMatch(new RegExp(`^step ${step}/3  loss \\d\\.\\d{4}  .* left$`, "m"));
  expect(err).toMatch(/^evaluation 2\/2 /m);
});

test.runIf(hasTier("ci"))(
  "a run on gpu tells what that is, what was compiled, and what stayed on the loops",
  async () => {
    const { code, out, err } = await runCommand("train", ...tiny, "--device", "gpu:webasm", "--out", "run");
    expect(code).toBe(0);
    expect(err).toMatch(/^device: gpu\.js webasm on the CPU as WebAssembly\n/);
    expect(out).toMatch(/\n\d+ kernels compiled in \d+\.\d s, which no other time here includes\n/);

    const wide = await runCommand("train", ...tiny, "--device", "gpu:webasm", "--dtype", "float64", "--out", "wide");
    expect(wide.out).toMatch(/\non the plain loops, since float64 stays on the host: .*\bconv2d\b/);
    expect(wide.out).not.toContain("compiled");
  },
);

test("a run goes on where it began, on its own device", async () => {
  await runCommand("train", ...tiny, "--device", "gpu:cpu", "--out", "run");
  const resumed = await runCommand("train", "--resume", "run");
  expect(resumed).toMatchObject({ code: 0, err: "device: gpu.js cpu on the CPU as JavaScript" });
  expect(await runCommand("train", "--resume", "run", "--device", "reference")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^gridgrad: run must .* got device reference \(the run has gpu:cpu\)/),
  });
});

test("without --out a run's folder says what it is", async () => {
  await runCommand(
    "train",
    "--task",
    "restoration",
    "--steps",
    "1",
    "--batch",
    "1",
    "--eval-images",
    "1",
    "--seed",
    "4",
  );
  expect(await readdir("runs")).toEqual(["restoration-dysample-seed4"]);
});

test("a folder with a run is refused, resumed or overwritten, as the user says", async () => {
  await runCommand("train", ...tiny, "--out", "run");
  const result = await readFile("run/result.json", "utf8");

  const refused = await runCommand("train", ...tiny, "--seed", "1", "--out", "run");
  expect(refused).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/--resume run.*--overwrite/) });
  expect(await readFile("run/result.json", "utf8")).toBe(result);

  const complete = await runCommand("train", "--resume", "run");
  expect(complete.code).toBe(0);
  expect(complete.out).toMatch(/^run is complete: all of its 3 steps were done before\nbilinear: mIoU/);

  const other = await runCommand("train", "--resume", "run", "--seed", "1");
  expect(other).toMatchObject({ code: 1, err: expect.stringMatching(/got seed 1 \(the run has 0\)/) });

  expect(await runCommand("train", ...tiny, "--seed", "1", "--out", "run", "--overwrite")).toMatchObject({ code: 0 });
  expect(JSON.parse(await readFile("run/result.json", "utf8")).metrics).not.toEqual(JSON.parse(result).metrics);
});

describe("--config", () => {
  const weights = (folder: string): Promise<Buffer> => readFile(join(folder, "weights.safetensors"));

  test("the configuration of a run gives the same run again, and options win over it", async () => {
    await runCommand("train", ...tiny, "--seed", "3", "--lr", "0.02", "--out", "one");
    const { code, out } = await runCommand("train", "--config", "one/config.json", "--out", "two", "--quiet");
    expect(code).toBe(0);
    expect(out).toMatch(/^bilinear: mIoU/);
    expect((await weights("two")).equals(await weights("one"))).toBe(true);
    const configOf = async (folder: string): Promise<Record<string, unknown>> =>
      JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
    const { made: _one, ...one } = await configOf("one");
    const { made: _two, ...two } = await configOf("two");
    expect(two).toEqual(one);

    await runCommand("train", "--config", "one/config.json", "--seed", "4", "--out", "three");
    expect((await weights("three")).equals(await weights("one"))).toBe(false);
    expect(await configOf("three")).toMatchObject({ seed: 4, lr: 0.02, steps: 3 });
  });

  test("of a run that learns offsets, it begins with the same weights", async () => {
    const options = ["--bilinear-steps", "1", "--steps", "2", "--batch", "1", "--eval-images", "1"];
    expect(await runCommand("offsets", ...options, "--out", "demo")).toMatchObject({ code: 0 });
    expect(await runCommand("train", "--config", "demo/dysample/config.json", "--out", "again")).toMatchObject({
      code: 0,
    });
    for (const name of ["start.safetensors", "weights.safetensors"]) {
      const [again, first] = await Promise.all(
        ["again", "demo/dysample"].map((folder) => readFile(join(folder, name))),
      );
      expect([name, again.equals(first)]).toEqual([name, true]);
    }
    await copyFile("demo/dysample/config.json", "alone.json");
    expect(await runCommand("train", "--config", "alone.json", "--out", "none")).toMatchObject({
      code: 1,
      out: "",
      err: "gridgrad: alone.json is of a run that learns offsets only, so start.safetensors must hold the weights that it begins with, but it is not there; name the config.json in the folder of its run",
    });
  });

  test("a file with some of the settings will do, and one that is none is refused by its name", async () => {
    await writeFile("own.json", '{ "steps": 1, "batch": 1, "evalImages": 1, "upsampler": "nearest" }');
    expect(await runCommand("train", "--config", "own.json", "--out", "run")).toMatchObject({ code: 0 });
    const refused: string[] = [];
    for (const text of [
      "",
      "[]",
      '{ "format": "gridgrad-compare-1" }',
      '{ "stesp": 3 }',
      '{ "steps": "3" }',
      '{ "device": 5 }',
      '{ "lr": null }',
      '{ "groups": 3 }',
      '{ "scale": 4 }',
    ]) {
      await writeFile("own.json", text);
      const { code, out, err } = await runCommand("train", "--config", "own.json", "--out", "none");
      expect([text, code, out]).toEqual([text, 1, ""]);
      refused.push(`${text} ${err}`);
    }
    expect(refused).toMatchInlineSnapshot(`
      [
        " gridgrad: own.json must hold settings, as the config.json of a run does, but it is no JSON; correct it, or name another file",
        "[] gridgrad: own.json must hold settings, as the config.json of a run does, but all of it must be an object, got []; correct it, or name another file",
        "{ "format": "gridgrad-compare-1" } gridgrad: own.json must hold settings, as the config.json of a run does, but format must be "gridgrad-run-1", got "gridgrad-compare-1"; correct it, or name another file",
        "{ "stesp": 3 } gridgrad: own.json must hold settings, as the config.json of a run does, but "stesp" is none; the settings are task, upsampler, seed, steps, batch, lr, warmup, groups, scale, init, scope, trainable, dtype, device, checkpointEvery, evalEvery, evalImages",
        "{ "steps": "3" } gridgrad: own.json: steps must be an integer of at least 1, got "3"",
        "{ "device": 5 } gridgrad: own.json: device must be one of reference, cpu, gpu, gpu:webgpu, gpu:headlessgl, gpu:webgl2, gpu:webgl, gpu:webasm, gpu:cpu, got 5",
        "{ "lr": null } gridgrad: own.json: lr must be above 0 and finite, got null",
        "{ "groups": 3 } gridgrad: own.json: groups must divide the 32 channels that dysample upsamples: 1, 2, 4, 8, 16, 32, got 3",
        "{ "scale": 4 } gridgrad: own.json: scale must be 2 for segmentation, whose network is made for it, got 4",
      ]
    `);
    const both = await runCommand("train", "--config", "own.json", "--scale", "3", "--out", "none");
    expect(both).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^gridgrad: --scale must be 2 for segmentation/),
    });
    expect(existsSync("none")).toBe(false);
  });
});

test("until a run has begun, a signal ends the process", async () => {
  const listened: string[] = [];
  for (const [folder, ...args] of [
    ["begun", "train", ...tiny],
    ["missing", "train", ...tiny, "--device", "gpu:webgl2"],
    ["begun", "train", ...tiny],
    ["offsets", "offsets", "--from", "nowhere"],
  ]) {
    const { io } = collectLines();
    const interrupted = (): AbortSignal => {
      listened.push(folder);
      return AbortSignal.abort();
    };
    await main([...args, "--out", folder], Object.assign(io, { interrupted }));
  }
  expect(listened).toEqual(["begun"]);
});

test("a folder in which another process trains is left to that one", async () => {
  await runCommand("train", ...tiny, "--out", "run");
  await rm("run/result.json");
  await writeFile("run/.lock", JSON.stringify({ id: "another", pid: process.ppid, host: hostname() }));
  const before = await readFile("run/metrics.jsonl", "utf8");
  for (const args of [
    ["--resume", "run"],
    [...tiny, "--out", "run", "--overwrite"],
  ]) {
    const { code, err } = await runCommand("train", ...args);
    expect(code).toBe(1);
    expect(err).toMatch(/^gridgrad: run must not be in use, but process \d+ on .*, delete run\/\.lock$/);
  }
  expect(await readFile("run/metrics.jsonl", "utf8")).toBe(before);
  await writeFile("run/.lock", JSON.stringify({ id: "another", pid: process.pid, host: hostname() })); // of a process that is gone
  expect(await runCommand("train", "--resume", "run")).toMatchObject({ code: 0 });
  expect(await readdir("run")).not.toContain(".lock");
});

test("a diverging run ends with exit code 1, and what it has learned before can be measured", async () => {
  const options = ["--task", "restoration", "--upsampler", "pixel-shuffle", "--lr", "1e30", "--warmup", "0"];
  const diverged = await runCommand("train", ...options, "--batch", "1", "--eval-images", "1", "--out", "run");
  expect(diverged).toMatchObject({ code: 1, out: "" });
  expect(diverged.err).toMatch(/gridgrad: step 2: gradients must be finite/);
  expect(await runCommand("eval", "run", "--eval-images", "1")).toMatchObject({ code: 0 });
});

test.skipIf(process.platform !== "linux")("where nothing can be written, every command says so at once", async () => {
  const tiny = ["--steps", "1", "--batch", "1", "--eval-images", "1", "--device", "reference"];
  const told: string[] = [];
  for (const args of [
    ["train", ...tiny, "--out", "/proc/gridgrad"],
    ["train", ...tiny, "--out", "/proc"],
    ["compare", ...tiny, "--upsamplers", "nearest", "--seeds", "1", "--out", "/proc/gridgrad"],
    ["compare", ...tiny, "--upsamplers", "nearest", "--seeds", "1", "--out", "/proc"],
    ["offsets", "--bilinear-steps", "1", ...tiny, "--out", "/proc/gridgrad"],
    ["worker", "--queue", "redis://localhost:1", "--work", "/proc/gridgrad"],
    ["worker", "--queue", "redis://localhost:1", "--work", "/proc"],
  ]) {
    const { code, err } = await runCommand(...args);
    expect([args, code]).toEqual([args, 1]);
    told.push(`${args[0]} ${args[args.length - 1]}: ${err}`);
  }
  expect(told).toMatchInlineSnapshot(`
    [
      "train /proc/gridgrad: gridgrad: /proc/gridgrad must be a folder that can be made, but nothing can be made there; write elsewhere (--out)",
      "train /proc: gridgrad: /proc must be a folder to write into, but nothing can be made in it; write elsewhere (--out)",
      "compare /proc/gridgrad: gridgrad: /proc/gridgrad must be a folder that can be made, but it is refused (ENOENT); name another place",
      "compare /proc: gridgrad: /proc must be a folder to write into, but nothing can be made in it; write elsewhere (--out)",
      "offsets /proc/gridgrad: /proc/gridgrad/bilinear
    gridgrad: /proc/gridgrad must be a folder that can be made, but it is refused (ENOENT); name another place",
      "worker /proc/gridgrad: gridgrad: /proc/gridgrad must be a folder that can be made, but it is refused (ENOENT); name another place",
      "worker /proc: gridgrad: /proc must be a folder to write into, but nothing can be made in it; name another",
    ]
  `);
});

describe("as a process", () => {
  const long = ["train", "--task", "restoration", "--steps", "40", "--batch", "8", "--eval-images", "16"];

  /** Resolves when the run in `folder` has come to a step. */
  async function untilStep(folder: string, step: number): Promise<void> {
    const log = join(base, folder, "metrics.jsonl");
    while (!existsSync(log) || (await readFile(log, "utf8")).split("\n").length <= step) await pause(5);
  }

  const pause = (ms: number): Promise<void> => new Promise((over) => setTimeout(over, ms));

  async function weightsOf(folder: string): Promise<string> {
    const names = ["weights.safetensors", "strip.png"];
    const files = await Promise.all(names.map((name) => readFile(join(base, folder, name), "base64")));
    const { took: _, ...result } = JSON.parse(await readFile(join(base, folder, "result.json"), "utf8"));
    return [...files, JSON.stringify(result)].join(" ");
  }

  const signals = [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129], // the terminal has gone away
  ] as const;

  test.each(hasTier("ci") ? signals : signals.slice(0, 1))(
    "%s ends it after the step, with a checkpoint and a hint",
    async (signal, exitCode) => {
      const { child, result } = startCommand(base, [...long, "--steps", "2000", "--out", "run"]);
      await untilStep("run", 3);
      child.kill(signal);
      child.kill(signal); // npm hands on what the terminal has sent already: one request
      const { code, out, err } = await result;
      expect([code, out]).toEqual([exitCode, ""]);
      const [, step] = /^stopped after step (\d+); go on with: gridgrad train --resume run$/m.exec(err)!;
      expect((await readFile("run/metrics.jsonl", "utf8")).split("\n")).toHaveLength(Number(step) + 1);
      expect((await readdir("run")).sort()).toEqual(["checkpoint.safetensors", "config.json", "metrics.jsonl"]);
    },
  );

  test.runIf(hasTier("ci"))(
    "readers that leave early, of what it reports and of its result, do not end it",
    async () => {
      const { child, result } = startCommand(base, [...long, "--steps", "6", "--out", "run"]);
      child.stderr!.once("data", () => {
        child.stderr!.destroy();
        child.stdout!.destroy();
      });
      expect(await result).toMatchObject({ code: 0, signal: null });
      expect(await readdir("run")).toContain("result.json");
      expect(await readdir("run")).not.toContain(".lock");
    },
  );

  test.runIf(hasTier("ci"))(
    "killed at random moments again and again, it comes to the same end as an undisturbed run",
    async () => {
      expect(await startCommand(base, [...long, "--out", "whole"]).result).toMatchObject({ code: 0 });
      const moments: number[] = [];
      let last: CommandResult | null = null;
      for (let kills = 0; last?.code !== 0; kills++) {
        const begun = existsSync("killed");
        const args = begun ? ["train", "--resume", "killed"] : [...long, "--checkpoint-every", "1", "--out", "killed"];
        const { child, result } = startCommand(base, args);
        if (kills < 5) {
          moments.push(Math.random() * 1500); // ms; a start takes most of a second, the whole run about two
          await pause(moments[kills]);
          child.kill("SIGKILL");
        }
        last = await result;
        expect([0, null], `${last.err} after kills at ${moments.join(", ")} ms`).toContain(last.code);
      }
      expect(await weightsOf("killed"), `kills at ${moments.join(", ")} ms`).toBe(await weightsOf("whole"));
    },
  );
});
