import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, test } from "vitest";

import { Linear } from "@gridgrad/nn";
import { saveWeights } from "@gridgrad/nn/node";

import { resolveConfig } from "../tasks/config.ts";
import { PictureUpsampler } from "../tasks/pictureUpsampler.ts";
import { train } from "./train.ts";
import { loadWeights, readWeights } from "./weights.ts";

const config = resolveConfig({
  task: "restoration",
  upsampler: "dysample-s",
  scale: 3,
  steps: 2,
  batch: 1,
  evalImages: 1,
});
const network = { task: "restoration", upsampler: "dysample-s", scale: 3, groups: 1, scope: 0.25 };

beforeEach(async () => {
  process.chdir(await mkdtemp(join(tmpdir(), "gridgrad-weights-")));
});

test("a run, its weights and its checkpoint all say which network they are of, and hold the same values", async () => {
  await train(config, "run");
  const all = [];
  for (const path of ["run", "run/weights.safetensors", "run/checkpoint.safetensors"])
    all.push(await readWeights(path));
  for (const weights of all) {
    expect(weights.network).toEqual(network);
    expect(weights.state).toEqual(all[0].state);
  }
  expect(all.map(({ file }) => file)).toEqual([
    "run/weights.safetensors",
    "run/weights.safetensors",
    "run/checkpoint.safetensors",
  ]);
});

test("a run that is not complete has the weights of its checkpoint", async () => {
  const stop = new AbortController();
  stop.abort();
  await train(config, "run", { signal: stop.signal });
  expect((await readWeights("run")).file).toBe("run/checkpoint.safetensors");
});

test("a file from elsewhere does not say which network it is of", async () => {
  await saveWeights("other.safetensors", new Linear(1, 1));
  expect(await readWeights("other.safetensors")).toMatchObject({ network: null, file: "other.safetensors" });
});

test("what holds no weights is refused", async () => {
  await expect(readWeights("nowhere")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[WeightsError: nowhere must be a run folder or a safetensors file, but there is nothing; check the path]`,
  );
  await mkdir("folder");
  await expect(readWeights("folder")).rejects.toThrow(/^folder must be the folder of a training run/);
  await train(config, "run");
  await mkdir("early");
  await writeFile("early/config.json", await readFile("run/config.json"));
  await expect(readWeights("early")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[WeightsError: early must have weights, but the run has not come to its first checkpoint; resume it]`,
  );
  await expect(readWeights("early/config.json")).rejects.toThrow(/^early\/config.json: safetensors: /);
  await saveWeights("odd.safetensors", new Linear(1, 1), { gridgrad: "{" });
  await expect(readWeights("odd.safetensors")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[SafetensorsError: odd.safetensors: its metadata must say in JSON which network it is of: SyntaxError: Expected property name or '}' in JSON at position 1]`,
  );
});

test("weights of another network are not loaded into one, and the file is named", async () => {
  await saveWeights("other.safetensors", new PictureUpsampler("dysample"));
  const network = new PictureUpsampler("dysample-s+");
  const before = await network.stateDict();
  const refused = await loadWeights(network, "other.safetensors").then(String, String);
  expect(refused).toMatch(
    /^WeightsError: other.safetensors must have the weights of its run's network, but loadStateDict: .*; put the run's own file back, or train it again \(--overwrite\)$/,
  );
  expect(await network.stateDict()).toEqual(before);
});
