import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { beforeEach, describe, expect, test } from "vitest";

import { version } from "@gridgrad/core";
import { hasTier } from "@gridgrad/core/testing/tier";

import type { ComparisonResults } from "../compare/results.ts";
import { type CommandResult, runCommand, runInterrupted, startCommand } from "../testing/runCommand.ts";

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gridgrad-compare-"));
  process.chdir(base);
});

const tiny = ["compare", "--steps", "4", "--batch", "1", "--eval-images", "2", "--checkpoint-every", "2"];

const readResults = async (folder: string) =>
  JSON.parse(await readFile(join(base, folder, "results.json"), "utf8")) as ComparisonResults;

/** Results without what differs from machine to machine. */
async function timeless(folder: string): Promise<ComparisonResults> {
  const results = await readResults(folder);
  const contestants = results.contestants.map((contestant) => ({ ...contestant, msPerStep: null, peakBytes: null }));
  const { made: _made, measured: _measured, ...others } = results;
  return { ...others, contestants };
}

test("a comparison prints a table and keeps all numbers in its folder", async () => {
  const { code, out } = await runCommand(...tiny, "--upsamplers", "nearest,dysample", "--seeds", "2", "--out", "two");
  expect(code).toBe(0);
  expect(out.replace(/\d\.\d{4}/g, "0.NNNN").replace(/ +\d+ +\d\.\d MB$/gm, "  MS  MB")).toMatchInlineSnapshot(`
    "Comparing nearest, dysample with 2 seeds: 4 runs of 4 steps.

                         mIoU     boundary IoU         accuracy  parameters    MACs  ms/step    peak
    nearest   0.NNNN ± 0.NNNN  0.NNNN ± 0.NNNN  0.NNNN ± 0.NNNN           0       0  MS  MB
    dysample  0.NNNN ± 0.NNNN  0.NNNN ± 0.NNNN  0.NNNN ± 0.NNNN       3,168  2.06 M  MS  MB
    Parameters and MACs are those of the upsamplers, for one picture.

    The report: two/report.html
    All numbers: two/results.json, two/results.csv"
  `);
  expect((await readdir("two")).sort()).toEqual([
    "charts",
    "compare.json",
    "measurements.json",
    "points-dysample.svg",
    "report.html",
    "results.csv",
    "results.json",
    "runs",
    "strip.png",
  ]);
  const ids = ["dysample-seed0", "dysample-seed1", "nearest-seed0", "nearest-seed1"];
  expect((await readdir("two/runs")).sort()).toEqual(ids);

  const { contestants, made, measured } = await readResults("two");
  const command =
    "gridgrad compare --steps 4 --batch 1 --eval-images 2 --checkpoint-every 2 --upsamplers nearest,dysample --seeds 2 --out two";
  expect(made).toMatchObject({ gridgrad: version, node: process.versions.node, command });
  expect(measured).toMatchObject({ gridgrad: version, threads: expect.any(Number) });
  expect(await readFile("two/report.html", "utf8")).toContain(`with <code>${command}</code>, in Node`);
  const [header, ...rows] = (await readFile("two/results.csv", "utf8"))
    .trim()
    .split("\r\n")
    .map((line) => line.split(","));
  const column = (name: string): string[] => rows.map((row) => row[header.indexOf(name)]);
  expect(column("label")).toEqual(["nearest", "nearest", "dysample", "dysample"]);
  expect(column("mIoU").map(Number)).toEqual(
    contestants.flatMap(({ runs }) => runs.map(({ metrics }) => metrics!.mIoU)),
  );
  expect(column("msPerStep").map(Number)).toEqual(contestants.flatMap(({ msPerStep }) => [msPerStep, msPerStep]));
});

test.runIf(hasTier("ci"))(
  "the same command again trains nothing, and more seeds and upsamplers are added",
  async () => {
    const first = [...tiny, "--upsamplers", "nearest,dysample", "--seeds", "1"];
    await runCommand(...first);
    const before = await readFile("runs/compare/runs/nearest-seed0/weights.safetensors");
    const again = await runCommand(...first);
    expect(again).toMatchObject({ code: 0, err: "" });
    expect(again.out).toContain("Comparing nearest, dysample with 1 seed: 2 runs of 4 steps, 2 of them complete.\n");

    const more = await runCommand(...tiny, "--upsamplers", "bilinear", "--seeds", "0,7");
    expect(more.out).toContain(
      "Comparing nearest, dysample, bilinear with 2 seeds: 6 runs of 4 steps, 2 of them complete.\n",
    );
    expect(more.err).toMatch(/^runs\/compare holds more than was asked for, and all of it goes on\n/);
    expect((await readResults("runs/compare")).contestants.map(({ label, runs }) => [label, runs.length])).toEqual([
      ["nearest", 2],
      ["dysample", 2],
      ["bilinear", 2],
    ]);
    expect((await readFile("runs/compare/runs/nearest-seed0/weights.safetensors")).equals(before)).toBe(true);

    const other = await runCommand(...first, "--lr", "0.1");
    expect(other).toMatchObject({ code: 1, out: "" });
    expect(other.err).toMatchInlineSnapshot(
      `"gridgrad: runs/compare must go on as the comparison that it holds, got lr 0.1 (the folder has 0.01); replace it (--overwrite), or write elsewhere (--out)"`,
    );
    expect(await runCommand(...first, "--lr", "0.1", "--overwrite")).toMatchObject({ code: 0 });
    expect((await readdir("runs/compare/runs")).sort()).toEqual(["dysample-seed0", "nearest-seed0"]);
  },
);

test.runIf(hasTier("ci"))("runs that fail are named with their reason, beside the results of the others", async () => {
  const { code, out } = await runCommand(
    ...[...tiny, "--upsamplers", "nearest,bilinear", "--seeds", "1", "--lr", "1e30", "--warmup", "0"],
  );
  expect(code).toBe(1);
  expect(out).toMatch(/^nearest +- +- +- /m);
  expect(out).toMatch(/^bilinear-seed0 failed: step \d: gradients must be finite/m);
  expect((await readResults("runs/compare")).contestants[0].runs).toMatchObject([
    { status: "failed", error: expect.stringMatching(/^step/), metrics: null },
  ]);
});

test("settings come from the configuration of a run, but for its upsampler and its seed", async () => {
  const train = ["train", ...tiny.slice(1), "--upsampler", "bilinear", "--seed", "5", "--eval-every", "2"];
  await runInterrupted(...train, "--lr", "0.02", "--out", "one");
  const options = ["--config", "one/config.json", "--upsamplers", "nearest", "--seeds", "1", "--steps", "1"];
  expect(await runInterrupted("compare", ...options, "--out", "all")).toMatchObject({ code: 130 });
  const { config, seeds } = JSON.parse(await readFile("all/compare.json", "utf8"));
  expect(seeds).toEqual([0]);
  expect(config).toMatchObject({ lr: 0.02, steps: 1, batch: 1, evalEvery: 2, evalImages: 2 });

  const refused: string[] = [];
  for (const settings of [
    { task: "restoration" },
    { trainable: "offsets" },
    { groups: 5 },
    { seeds: 3 },
    { lr: "1" },
  ]) {
    await writeFile("own.json", JSON.stringify(settings));
    const { code, out, err } = await runCommand("compare", "--config", "own.json", "--out", "none");
    expect([code, out]).toEqual([1, ""]);
    refused.push(err);
  }
  expect(refused).toMatchInlineSnapshot(`
    [
      "gridgrad: own.json must be of a whole segmentation network, which is what compare trains, got task "restoration"",
      "gridgrad: own.json must be of a whole segmentation network, which is what compare trains, got trainable "offsets"",
      "gridgrad: own.json: groups must divide the 32 channels that dysample upsamples: 1, 2, 4, 8, 16, 32, got 5",
      "gridgrad: own.json must hold settings, as the config.json of a run does, but "seeds" is none; the settings are task, upsampler, seed, steps, batch, lr, warmup, groups, scale, init, scope, trainable, dtype, device, checkpointEvery, evalEvery, evalImages",
      "gridgrad: own.json: lr must be above 0 and finite, got "1"",
    ]
  `);
  expect(existsSync("none")).toBe(false);
});

test("a folder with files of one's own under the same names is refused, and nothing in it is touched", async () => {
  const own = ["charts/mine/figure.txt", "report.html", "results.csv", "runs/nearest-seed0/notes.txt"];
  for (const name of own) {
    await mkdir(dirname(join("mine", name)), { recursive: true });
    await writeFile(join("mine", name), "mine");
  }
  process.chdir("mine");
  for (const overwrite of [[], ["--overwrite"]]) {
    const result = await runCommand(...tiny, "--upsamplers", "nearest", "--seeds", "1", "--out", ".", ...overwrite);
    expect(result).toMatchObject({ code: 1, out: "" });
    expect(result.err).toMatchInlineSnapshot(
      `"gridgrad: . must have room for the comparison, but results.csv, report.html, charts, runs/nearest-seed0 in it are not of one; move away what is yours, or write elsewhere (--out)"`,
    );
  }
  for (const name of own) expect(await readFile(name, "utf8")).toBe("mine");
  expect((await readdir(".")).sort()).toEqual(["charts", "report.html", "results.csv", "runs"]);
});

test("what makes no sense is refused before anything is started", async () => {
  const lines: string[] = [];
  for (const [line, code] of [
    ["--upsamplers nearest,dysampel", 2],
    ["--upsamplers nearest,", 2],
    ["--upsamplers nearest,dysample,nearest", 2],
    ["--seeds 0", 2],
    ["--seeds 1,x", 2],
    ["--seeds 1,2,1", 2],
    ["--seeds 0,4294967196", 2],
    ["--seeds 4294967195", 2],
    ["--jobs 0", 2],
    ["--ablation stesp", 2],
    ["--ablation steps --upsamplers dysample", 2],
    ["--ablation groups --groups 2", 2],
    ["--resume runs/x --seeds 2", 2],
    ["--resume runs/x", 1],
    ["--upsamplers nearest,dysample --groups 5", 2],
    ["--device gpu:webgl2", 1],
  ] as const) {
    const result = await runCommand("compare", ...line.split(" "));
    expect([line, result.code, result.out]).toEqual([line, code, ""]);
    lines.push(`${line}: ${result.err}`);
  }
  expect(lines).toMatchInlineSnapshot(`
    [
      "--upsamplers nearest,dysampel: gridgrad: option '--upsamplers <names>' argument 'nearest,dysampel' is invalid. "dysampel" must be one of nearest, bilinear, bicubic, transposed-conv, pixel-shuffle, carafe, fade, sapa-b, dysample, dysample+, dysample-s, dysample-s+. Did you mean dysample?",
      "--upsamplers nearest,: gridgrad: option '--upsamplers <names>' argument 'nearest,' is invalid. "" must be one of nearest, bilinear, bicubic, transposed-conv, pixel-shuffle, carafe, fade, sapa-b, dysample, dysample+, dysample-s, dysample-s+.",
      "--upsamplers nearest,dysample,nearest: gridgrad: option '--upsamplers <names>' argument 'nearest,dysample,nearest' is invalid. Names must differ from each other, got nearest twice.",
      "--seeds 0: gridgrad: option '--seeds <list>' argument '0' is invalid. It must be a number of seeds, such as 3, or a list of them, such as 0,1,2.",
      "--seeds 1,x: gridgrad: option '--seeds <list>' argument '1,x' is invalid. It must be a number of seeds, such as 3, or a list of them, such as 0,1,2.",
      "--seeds 1,2,1: gridgrad: option '--seeds <list>' argument '1,2,1' is invalid. Seeds must differ from each other, got 1 twice.",
      "--seeds 0,4294967196: gridgrad: option '--seeds <list>' argument '0,4294967196' is invalid. Seeds must be in 0 .. 4294967195.",
      "--seeds 4294967195: gridgrad: option '--seeds <list>' argument '4294967195' is invalid. It must be at most 1000 seeds.",
      "--jobs 0: gridgrad: option '--jobs <n>' argument '0' is invalid. It must be an integer of at least 1.",
      "--ablation stesp: gridgrad: option '--ablation <name>' argument 'stesp' is invalid. It must be one of steps, style, groups, scope. Did you mean steps?",
      "--ablation steps --upsamplers dysample: gridgrad: --ablation steps sets upsamplers itself; leave --upsamplers out",
      "--ablation groups --groups 2: gridgrad: --ablation groups sets groups itself; leave --groups out",
      "--resume runs/x --seeds 2: gridgrad: --resume goes on with what was asked for; leave --seeds out",
      "--resume runs/x: gridgrad: runs/x must be the folder of a comparison, but it has no compare.json; check the path",
      "--upsamplers nearest,dysample --groups 5: gridgrad: --groups must divide the 32 channels that dysample upsamples: 1, 2, 4, 8, 16, 32, got 5",
      "--device gpu:webgl2: gridgrad: gpu:webgl2: needs a browser; in Node use gpu:webgpu, gpu:headlessgl or gpu:webasm; what there is here: gridgrad devices",
    ]
  `);
  expect(await readdir(base)).toEqual([]);
});

test.runIf(hasTier("ci"))("an ablation compares settings of DySample", async () => {
  const { code, out } = await runCommand(...tiny, "--ablation", "style", "--seeds", "1", "--out", "style");
  expect(code).toBe(0);
  expect(out).toContain("Comparing lp, pl, lp-dynamic, pl-dynamic with 1 seed");
  const { title, contestants } = await readResults("style");
  expect(title).toBe("DySample's styles of offsets");
  expect(contestants.map(({ config }) => config.upsampler)).toEqual([
    "dysample",
    "dysample-s",
    "dysample+",
    "dysample-s+",
  ]);
});

describe.runIf(hasTier("ci"))("as a process", () => {
  const asked = [...tiny, "--steps", "30", "--upsamplers", "nearest,dysample", "--seeds", "2", "--jobs", "2"];

  const pause = (ms: number): Promise<void> => new Promise((over) => setTimeout(over, ms));

  /** Resolves when a run of the comparison in `folder` has written its first checkpoint. */
  async function untilCheckpoint(folder: string): Promise<void> {
    const file = join(base, folder, "runs/nearest-seed0/checkpoint.safetensors");
    while (!existsSync(file)) await pause(5);
  }

  test("Ctrl-C lets the runs write their checkpoints, and --resume goes on with all that was asked for", async () => {
    const { child, result } = startCommand(base, [...asked, "--out", "runs/c"]);
    await untilCheckpoint("runs/c");
    child.kill("SIGINT");
    const { code, out, err } = await result;
    expect([code, out]).toEqual([130, "Comparing nearest, dysample with 2 seeds: 4 runs of 30 steps.\n"]);
    expect(err).toMatch(/^nearest-seed0 stopped after step \d+$/m);
    expect(err).toMatch(/\nstopped; go on with: gridgrad compare --resume runs\/c\n$/);
    const unfinished = (await readResults("runs/c")).contestants[0].runs[0];
    expect(unfinished.status).toBe("unfinished");
    expect(unfinished.losses.length).toBeGreaterThan(1);
    expect(await startCommand(base, ["compare", "--resume", "runs/c"]).result).toMatchObject({ code: 0 });
    expect((await readResults("runs/c")).contestants.map(({ runs }) => runs.map(({ status }) => status))).toEqual([
      ["complete", "complete"],
      ["complete", "complete"],
    ]);
  });

  test("killed again and again, it comes to the same results as an undisturbed one", async () => {
    expect(await startCommand(base, [...asked, "--out", "whole"]).result).toMatchObject({ code: 0 });
    let last: CommandResult | null = null;
    const moments: number[] = [];
    for (let kills = 0; last?.code !== 0; kills++) {
      const { child, result } = startCommand(base, [...asked, "--out", "killed"]);
      if (kills === 0) await untilCheckpoint("killed");
      if (kills < 4) {
        moments.push(Math.random() * 2500); // ms; a start takes most of a second, all of it a few
        await pause(moments[kills]);
        child.kill("SIGKILL");
      }
      last = await result;
      expect([0, null], `${last.err} after kills at ${moments.join(", ")} ms`).toContain(last.code);
    }
    expect(await timeless("killed"), `kills at ${moments.join(", ")} ms`).toEqual(await timeless("whole"));
  });

  test("a second one in the same folder is refused, and does not disturb the first", async () => {
    const first = startCommand(base, [...asked, "--out", "c"]);
    await untilCheckpoint("c");
    const second = await startCommand(base, [...asked, "--out", "c", "--overwrite"]).result;
    expect(second).toMatchObject({ code: 1, out: "" });
    expect(second.err).toMatch(/^gridgrad: c must not be in use, but process \d+ on .*$/m);
    expect(second.err).toContain(`process ${first.child.pid} on`);
    expect(await first.result).toMatchObject({ code: 0 });
    expect((await readResults("c")).contestants.every(({ runs }) => runs.length === 2)).toBe(true);
  });

  test("a damaged compare.json is told in one line", async () => {
    await runCommand(...tiny, "--upsamplers", "nearest", "--seeds", "1", "--out", "c");
    await writeFile("c/compare.json", "{");
    const { code, err } = await startCommand(base, ["compare", "--resume", "c"]).result;
    expect(code).toBe(1);
    expect(err).toMatch(/^gridgrad: c\/compare\.json must be as it was written, but [^\n]*\n$/);
  });
});
