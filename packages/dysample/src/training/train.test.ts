import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeAll, beforeEach, describe, expect, test } from "vitest";

import { getDevice, version } from "@gridgrad/core";
import { Adam, type StateDict } from "@gridgrad/nn";
import { readStateDict, saveWeights } from "@gridgrad/nn/node";

import { dysampleVariants } from "../upsamplers/dysample.ts";
import { PictureUpsampler } from "../tasks/pictureUpsampler.ts";
import { resolveConfig, type TrainConfig } from "../tasks/config.ts";
import { differingTensors } from "./differingTensors.ts";
import { coresToUse } from "./coresToUse.ts";
import { readSteps, readValidations } from "./metricsLog.ts";
import { createTask } from "../tasks/createTask.ts";
import { resume, train, type TrainHooks, type TrainOutcome } from "./train.ts";
import { readWeights } from "./weights.ts";

/** Runs of a fraction of a second, of each task. */
const tiny = {
  segmentation: resolveConfig({
    steps: 6,
    batch: 1,
    warmup: 2,
    evalImages: 2,
    checkpointEvery: 4,
    upsampler: "dysample+",
  }),
  restoration: resolveConfig({ task: "restoration", steps: 6, batch: 2, warmup: 2, evalImages: 2, checkpointEvery: 4 }),
};

beforeEach(async () => {
  process.chdir(await mkdtemp(join(tmpdir(), "gridgrad-train-")));
});

/** Trains until step `step` is done, as if Ctrl-C came then. */
async function trainUntil(config: TrainConfig, path: string, step: number, start?: StateDict): Promise<void> {
  const stop = new AbortController();
  // The signal is read behind this hook, so it stops the step after.
  const hooks: TrainHooks = {
    signal: stop.signal,
    // It is read behind this hook, so it stops the step after.
    onStep: (metrics) => metrics.step === step - 1 && stop.abort(),
  };
  const outcome = await train(config, path, hooks, { start });
  expect(outcome).toEqual({ status: "stopped", step });
}

/** What must be equal in two runs: all files, but for times and for what is told of how the run was made. */
async function contents(path: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of (await readdir(path)).sort()) {
    const bytes = await readFile(join(path, name));
    files[name] = /\.jsonl?$/.test(name) ? timeless(bytes.toString()) : bytes.toString("base64");
  }
  return files;
}

function timeless(json: string): string {
  return json.replace(/"ms":[^}]*/g, "").replace(/,\s+"(made|took)": \{[^}]*\}/g, "");
}

describe.each(["segmentation", "restoration"] as const)("%s", (task) => {
  test("a run leaves its configuration, log, checkpoint, weights, result and picture", async () => {
    const steps: number[] = [];
    const evaluated: number[] = [];
    const outcome = await train(tiny[task], "run", {
      onStart: (config, done) => steps.push(config.steps, done),
      onStep: ({ step }) => steps.push(step),
      onEvaluated: (images) => evaluated.push(images),
    });
    expect(outcome).toMatchObject({ status: "complete", trained: true, result: { task, steps: 6 } });
    expect(steps).toEqual([6, 0, 1, 2, 3, 4, 5, 6]);
    expect(evaluated).toEqual([0, 2]);
    expect((await readdir("run")).sort()).toEqual([
      "checkpoint.safetensors",
      "config.json",
      "halfway.safetensors",
      "metrics.jsonl",
      "result.json",
      "strip.png",
      "weights.safetensors",
    ]);
    const lines = await readSteps("run/metrics.jsonl");
    expect(lines.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(lines.every(({ loss, lr, gradNorm, ms }) => loss > 0 && lr > 0 && gradNorm > 0 && ms > 0)).toBe(true);
  });

  test("a run that is stopped and resumed equals one that was not, to the last bit", async () => {
    await train(tiny[task], "whole");
    await trainUntil(tiny[task], "stopped", 3);
    const again = new AbortController();
    await resume("stopped", {}, { signal: again.signal, onStep: ({ step }) => step === 4 && again.abort() });
    const outcome = await resume("stopped", { steps: 6 });
    expect(outcome).toMatchObject({ status: "complete", trained: true });
    expect(await contents("stopped")).toEqual(await contents("whole"));
  });
});

describe("wherever a process is killed, the run resumes", () => {
  /** The folder of a whole run, and of one that was stopped after step 4, whose checkpoint is that of step 4. */
  let runs: string;

  beforeAll(async () => {
    runs = await mkdtemp(join(tmpdir(), "gridgrad-train-"));
    await train(tiny.restoration, join(runs, "whole"));
    await trainUntil(tiny.restoration, join(runs, "four"), 4);
  });

  beforeEach(async () => {
    await cp(runs, ".", { recursive: true });
    await mkdir("killed");
    await copyFile("four/config.json", "killed/config.json");
  });

  const moments: Record<string, () => Promise<void>> = {
    "before the first step": async () => {},
    "in the first line of the log": () => writeFile("killed/metrics.jsonl", '{"step":1,"lo'),
    "before the first checkpoint": async () => {
      const lines = (await readFile("whole/metrics.jsonl", "utf8")).split("\n");
      await writeFile("killed/metrics.jsonl", `${lines.slice(0, 3).join("\n")}\n`);
    },
    "while a checkpoint is written": async () => {
      await copyFile("four/metrics.jsonl", "killed/metrics.jsonl");
      await writeFile("killed/checkpoint.safetensors.01234567-89ab-cdef-0123-456789abcdef.tmp", "half of");
    },
    "between two checkpoints": async () => {
      for (const name of ["halfway", "checkpoint"]) {
        await copyFile(`four/${name}.safetensors`, `killed/${name}.safetensors`);
      }
      const lines = (await readFile("whole/metrics.jsonl", "utf8")).split("\n");
      await writeFile("killed/metrics.jsonl", `${lines.slice(0, 5).join("\n")}\n${lines[5].slice(0, 20)}`);
    },
    "after the evaluation": async () => {
      for (const name of ["halfway.safetensors", "checkpoint.safetensors", "metrics.jsonl", "weights.safetensors"]) {
        await copyFile(`whole/${name}`, `killed/${name}`);
      }
    },
  };

  test.each(Object.keys(moments))("%s", async (moment) => {
    await moments[moment]();
    await resume("killed");
    expect(await contents("killed")).toEqual(await contents("whole"));
  });
});

test("an evaluation can be stopped, too, and is done again", async () => {
  await train(tiny.restoration, "whole");
  const stop = new AbortController();
  const outcome = await train(tiny.restoration, "run", {
    signal: stop.signal,
    onEvaluated: (images) => images > 0 && stop.abort(),
  });
  expect(outcome).toEqual({ status: "stopped", step: 6 });
  await resume("run");
  expect(await contents("run")).toEqual(await contents("whole"));
});

test("resuming a complete run changes nothing and gives its result", async () => {
  await train(tiny.restoration, "run");
  const before = await contents("run");
  expect(await resume("run")).toMatchObject({ status: "complete", trained: false, result: { steps: 6 } });
  expect(await contents("run")).toEqual(before);
});

test("a run says how it was made and what it took, and one that does not goes on as well", async () => {
  await train(tiny.segmentation, "run");
  const [config, result] = await Promise.all(
    ["config", "result"].map(async (name) => JSON.parse(await readFile(`run/${name}.json`, "utf8"))),
  );
  const date = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const cpu = expect.stringMatching(/./);
  expect(config.made).toEqual({
    gridgrad: version,
    node: process.versions.node,
    cpu,
    threads: coresToUse(),
    device: expect.stringMatching(/^WebAssembly with SIMD, /),
    date,
  });
  expect(result.took).toEqual({ seconds: expect.any(Number), ended: date });
  const stepMs = (await readSteps("run/metrics.jsonl")).reduce((total, { ms }) => total + ms, 0);
  expect(result.took.seconds * 1000).toBeGreaterThan(stepMs);

  const before = await readFile("run/weights.safetensors");
  for (const made of [undefined, { ...config.made, cpu: "another" }, "anything"]) {
    await writeFile("run/config.json", JSON.stringify({ ...config, made }));
    await writeFile("run/result.json", JSON.stringify({ ...result, took: undefined }));
    expect(await resume("run")).toMatchObject({ trained: false });
    for (const name of ["result.json", "checkpoint.safetensors"]) await rm(`run/${name}`);
    expect(await resume("run")).toMatchObject({ trained: true });
    expect((await readFile("run/weights.safetensors")).equals(before)).toBe(true);
  }
});

test("a result that is damaged is refused, and made again without it", async () => {
  await train(tiny.segmentation, "run");
  const path = "run/result.json";
  const whole = await readFile(path, "utf8");
  const refused = async (json: string): Promise<string> => {
    await writeFile(path, json);
    return resume("run").then(String, String);
  };
  const message = (problem: string): string =>
    `WrittenFileError: ${path} must be as it was written, but ${problem}; delete it, and the run writes it again (train --resume)`;
  expect(await refused("")).toBe(message("it is no JSON"));
  expect(await refused(whole.replace('"mIoU"', '"mIou"'))).toBe(message("metrics.mIoU must be a number, got none"));
  expect(await refused(whole.replace(/"loss": [\d.]+/, '"loss": "0.5"'))).toBe(
    message('metrics.loss must be a number, got "0.5"'),
  );
  expect(await refused(whole.replace('"steps": 6', '"steps": 7'))).toBe(message("steps must be 6, got 7"));

  await rm(path);
  expect(await resume("run")).toMatchObject({ status: "complete" });
  expect(timeless(await readFile(path, "utf8"))).toBe(timeless(whole));
});

describe("evaluations on the way", () => {
  const config = resolveConfig({ ...tiny.segmentation, evalEvery: 2 });

  test("are lines of the log, on at most 64 pictures, and the last step has the final one instead", async () => {
    const { task } = (await train(config, "run")) as TrainOutcome & { status: "complete" };
    const lines = (await readFile("run/metrics.jsonl", "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => Object.keys(JSON.parse(line)).slice(0, 2).join(" "))).toEqual([
      "step loss",
      "step loss",
      "step validation",
      "step loss",
      "step loss",
      "step validation",
      "step loss",
      "step loss",
      "step evaluation",
    ]);
    const validations = await readValidations("run/metrics.jsonl");
    expect(validations.map(({ step, validation }) => [step, validation.images])).toEqual([
      [2, 2],
      [4, 2],
    ]);
    await trainUntil(config, "two", 2);
    task.model.loadStateDict((await readStateDict("two/checkpoint.safetensors")).tensors);
    const { loss, mIoU } = await task.evaluate();
    expect(validations[0].validation).toMatchObject({ loss, mIoU });

    await train(resolveConfig({ ...config, steps: 2, evalEvery: 1, evalImages: 65 }), "more");
    expect((await readValidations("more/metrics.jsonl")).map(({ validation }) => validation.images)).toEqual([64]);
  });

  test("change no bit of what is learned", async () => {
    await train(tiny.segmentation, "without");
    await train(config, "with");
    const [withThem, without] = [await contents("with"), await contents("without")];
    for (const name of ["halfway.safetensors", "weights.safetensors", "result.json"]) {
      expect([name, withThem[name]]).toEqual([name, without[name]]);
    }
    expect(await readSteps("with/metrics.jsonl")).toHaveLength(6);
  });

  test("a run that is stopped between them and resumed has the same ones", async () => {
    await train(config, "whole");
    await trainUntil(config, "stopped", 3);
    await resume("stopped");
    expect(await contents("stopped")).toEqual(await contents("whole"));
  });
});

test.each(["segmentation", "restoration"] as const)(
  "halfway through %s, the weights are kept: those of a run that was stopped there",
  async (task) => {
    const config = resolveConfig({ ...tiny[task], steps: 5 }); // of an odd number the larger half
    await train(config, "whole");
    await trainUntil(config, "half", 3);
    const { metadata } = await readStateDict("whole/halfway.safetensors");
    expect(JSON.parse(metadata.gridgrad)).toMatchObject({ task, upsampler: config.upsampler });
    const loaded = async (file: string): Promise<StateDict> => {
      const { model } = await createTask(config);
      model.loadStateDict((await readStateDict(file)).tensors);
      return model.stateDict();
    };
    const halfway = await loaded("whole/halfway.safetensors");
    expect(differingTensors(halfway, await loaded("half/checkpoint.safetensors"))).toEqual([]);
    expect(differingTensors(halfway, await loaded("whole/weights.safetensors"))).not.toEqual([]);
  },
);

describe("a run that begins with given weights", () => {
  const offsets = (upsampler: string, given: Partial<TrainConfig> = {}): TrainConfig =>
    resolveConfig({ ...tiny.segmentation, upsampler, trainable: "offsets", ...given });

  /** A bilinear network after a real, short run, and its loss on 32 validation pictures. */
  let start: StateDict;
  let bilinearLoss: number;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "gridgrad-bilinear-"));
    const config = resolveConfig({ upsampler: "bilinear", steps: 60, batch: 8, evalImages: 32 });
    const outcome = await train(config, folder);
    if (outcome.status === "complete") bilinearLoss = outcome.result.metrics.loss as number;
    start = (await readWeights(folder)).state;
  });

  test.each(Object.keys(dysampleVariants))(
    "%s learns offsets, and no bit of anything else changes",
    async (upsampler) => {
      await train(offsets(upsampler), "run", {}, { start });
      const before = (await readStateDict("run/start.safetensors")).tensors;
      const after = (await readStateDict("run/weights.safetensors")).tensors;
      const learned = upsampler.endsWith("+")
        ? ["offset.bias", "offset.weight", "scope.weight"]
        : ["offset.bias", "offset.weight"];
      expect(differingTensors(before, after)).toEqual(
        ["up0", "up1", "up2"].flatMap((up) => learned.map((name) => `${up}.${name}`)),
      );
      expect(differingTensors(start, after).filter((name) => !name.startsWith("up"))).toEqual([]);
      expect(Object.keys(after)).toContain("e1.bn.running_mean");
    },
  );

  test("the same run that trains everything changes running statistics and weights", async () => {
    await train(offsets("dysample", { trainable: "all" }), "run", {}, { start });
    const after = (await readStateDict("run/weights.safetensors")).tensors;
    expect(differingTensors(start, after)).toEqual(
      expect.arrayContaining(["e1.conv.weight", "e1.bn.running_mean", "cls.bias"]),
    );
  });

  test("DySample begins where the bilinear network is, and offsets alone lower the loss", async () => {
    const config = offsets("dysample", { steps: 40, batch: 8, lr: 0.03, evalImages: 32, evalEvery: 20 });
    const outcome = await train(config, "run", {}, { start });
    const task = await createTask(config);
    task.model.loadStateDict((await readStateDict("run/start.safetensors")).tensors);
    const before = (await task.evaluate()).loss as number;
    expect(Math.abs(before - bilinearLoss)).toBeLessThan(1e-2);
    const [{ validation }] = await readValidations("run/metrics.jsonl");
    expect(validation.loss).toBeLessThan(before);
    const after = outcome.status === "complete" && (outcome.result.metrics.loss as number);
    expect(after).toBeLessThan(validation.loss as number);
    expect(after).toBeLessThan(bilinearLoss);
  });

  test("stopped and resumed, it equals one that was not, to the last bit", async () => {
    await train(offsets("dysample+"), "whole", {}, { start });
    await trainUntil(offsets("dysample+"), "stopped", 3, start);
    expect(await resume("stopped")).toMatchObject({ status: "complete", trained: true });
    expect(await contents("stopped")).toEqual(await contents("whole"));
    expect(Object.keys(await contents("whole"))).toContain("start.safetensors");
  });

  test("without a checkpoint it resumes from these weights, also where everything is trained", async () => {
    for (const config of [offsets("dysample"), offsets("bilinear", { trainable: "all" })]) {
      await train(config, "whole", {}, { start, overwrite: true });
      await mkdir("killed");
      for (const name of ["config.json", "start.safetensors"]) await copyFile(`whole/${name}`, `killed/${name}`);
      await resume("killed");
      expect(await contents("killed")).toEqual(await contents("whole"));
      await rm("killed", { recursive: true });
    }
  });

  test("offsets are not resumed from drawn weights", async () => {
    await train(offsets("dysample"), "whole", {}, { start });
    await mkdir("killed");
    await copyFile("whole/config.json", "killed/config.json");
    await expect(resume("killed")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RunFolderError: killed/start.safetensors must hold the weights that the run begins with, but it is not there; start again (--overwrite)]`,
    );
  });

  test("weights that are missing or do not fit are refused, and nothing is written", async () => {
    const refused = async (config: TrainConfig, weights?: StateDict): Promise<string> =>
      train(config, "run", {}, { start: weights }).then(String, String);
    const { "cls.bias": bias, "cls.weight": weight, ...rest } = start;
    expect([
      await refused(offsets("dysample")),
      await refused(offsets("dysample"), { "head.bias": bias, "cls.weight": weight, ...rest }),
      await refused(offsets("dysample"), { "cls.bias": weight, "cls.weight": weight, ...rest }),
      await refused(resolveConfig(tiny.restoration), start).then((text) => text.slice(0, 150)),
    ]).toMatchInlineSnapshot(`
      [
        "ConfigError: config: trainable "offsets" must start from weights of a trained network, got none",
        "ConfigError: train: weights to start from must have the names of the network, but for its upsamplers, got others: head.bias, cls.bias",
        "ConfigError: train: weights to start from must fit the network, but loadStateDict: the state must fit the module, got 1 problem: cls.bias must have shape [6], got [6, 32, 1, 1]",
        "ConfigError: train: weights to start from must have the names of the network, but for its upsamplers, got others: e1.bn.num_batches_tracked, e2.bn.num",
      ]
    `);
    expect(await readdir(".")).toEqual([]);
  });

  test("only segmentation with DySample has offsets to train", () => {
    expect(() => offsets("bilinear")).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: config: trainable "offsets" goes with segmentation and an upsampler among dysample, dysample+, dysample-s, dysample-s+, got "segmentation with bilinear"]`,
    );
    expect(() => resolveConfig({ ...tiny.restoration, trainable: "offsets" })).toThrowErrorMatchingInlineSnapshot(
      `[ConfigError: config: trainable "offsets" goes with segmentation and an upsampler among dysample, dysample+, dysample-s, dysample-s+, got "restoration with dysample"]`,
    );
  });
});

test("a checkpoint that is damaged, of another run, or no checkpoint at all is refused", async () => {
  await trainUntil(tiny.restoration, "run", 3);
  const path = "run/checkpoint.safetensors";
  const bytes = await readFile(path);
  const refused = (): Promise<string> => resume("run").then(String, String);

  await writeFile(path, bytes.subarray(0, -1));
  expect(await refused()).toMatchInlineSnapshot(
    `"RunFolderError: run/checkpoint.safetensors must be the checkpoint that the run wrote, but: run/checkpoint.safetensors: safetensors: optimizer.step.up.offset.weight: data_offsets must end within the 423 bytes of data, got 424 (is the file truncated?). Without this file the run resumes from its beginning"`,
  );
  await writeFile(path, bytes.toString("latin1").replace('\\"seed\\":0', '\\"seed\\":1'), "latin1");
  expect(await refused()).toMatchInlineSnapshot(
    `"RunFolderError: run/checkpoint.safetensors must be the checkpoint that the run wrote, but: checkpoint: it must be of the run in config.json, got other seed. Without this file the run resumes from its beginning"`,
  );
  await writeFile(path, bytes.toString("latin1").replaceAll("model.up.offset.bias", "model.up.offset.bios"), "latin1");
  expect(await refused()).toMatchInlineSnapshot(
    `"RunFolderError: run/checkpoint.safetensors must be the checkpoint that the run wrote, but: loadStateDict: the state must fit the module, got 2 problems: up.offset.bias is missing; up.offset.bios is unexpected. Without this file the run resumes from its beginning"`,
  );
  await saveWeights(path, new PictureUpsampler("dysample"));
  expect(await refused()).toMatchInlineSnapshot(
    `"RunFolderError: run/checkpoint.safetensors must be the checkpoint that the run wrote, but: run/checkpoint.safetensors: checkpoint: metadata must have format "gridgrad-checkpoint-1", got "pt" (weights without a run?). Without this file the run resumes from its beginning"`,
  );

  await rm(path);
  expect(await resume("run")).toMatchObject({ status: "complete" });
});

test("a gradient that Adam cannot square ends the run at the last good state", async () => {
  const config = resolveConfig({ ...tiny.restoration, upsampler: "transposed-conv", lr: 1e30, warmup: 0 });
  await expect(train(config, "run")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[TrainingError: step 2: gradients must be finite, and so must their squares, got loss Infinity and gradient norm 9.647380969640922e+30. The state after step 1 is in run/checkpoint.safetensors; resuming would meet the same numbers again, so start a run with a smaller learning rate, such as --lr 3e+29]`,
  );
  expect((await readSteps("run/metrics.jsonl")).map(({ step }) => step)).toEqual([1]);
  expect((await readdir("run")).sort()).toEqual(["checkpoint.safetensors", "config.json", "metrics.jsonl"]);
  await expect(resume("run")).rejects.toThrow(/^step 2: /);
});

test("a configuration that does not fit its upsampler writes nothing", async () => {
  const groups = resolveConfig({ ...tiny.segmentation, groups: 5 });
  await expect(train(groups, "run")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: config: groups must divide the 32 channels that dysample+ upsamples: 1, 2, 4, 8, 16, 32, got 5]`,
  );
  const fixed = resolveConfig({ ...tiny.restoration, upsampler: "bilinear" });
  await expect(train(fixed, "run")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ConfigError: config: upsampler must have parameters to train for restoration, got "bilinear"]`,
  );
  expect(await readdir(".")).toEqual([]);
});

test("a run in float64 follows the one in float32", async () => {
  await train(tiny.segmentation, "single");
  await train(resolveConfig({ ...tiny.segmentation, dtype: "float64" }), "double");
  const losses = async (path: string): Promise<number[]> =>
    (await readSteps(`${path}/metrics.jsonl`)).map(({ loss }) => loss);
  const [single, double] = [await losses("single"), await losses("double")];
  expect(single).not.toEqual(double);
  single.forEach((loss, t) => expect(Math.abs(loss - double[t]) / loss).toBeLessThan(1e-3));
});

test("fifty steps hold no more on the device than five", async () => {
  const task = await createTask(resolveConfig({ batch: 1 }));
  const optimizer = new Adam(task.model.parameters(), { lr: 0.001 });
  const { memory } = getDevice();
  const live: { buffers: number; bytes: number }[] = [];
  for (let t = 0; t < 50; t++) {
    await optimizer.step(task.loss(t));
    if (t !== 4 && t !== 49) continue;
    globalThis.gc!();
    await new Promise((turned) => setTimeout(turned, 10)); // buffers of collected tensors are freed in a later turn
    live.push({ buffers: memory.buffers, bytes: memory.bytes });
  }
  expect(live[1]).toEqual(live[0]);
  expect(live[0].buffers).toBeGreaterThan(0);
});

test("the networks start from the seed's weights, the same in both element types", async () => {
  const weights = async (given: Partial<TrainConfig>): Promise<unknown> => {
    const task = await createTask(resolveConfig(given));
    return (await task.model.stateDict())["e1.conv.weight"].values;
  };
  const zero = await weights({ upsampler: "dysample" });
  expect(await weights({ upsampler: "bilinear" })).toEqual(zero);
  expect(await weights({ seed: 1 })).not.toEqual(zero);
  expect(Array.from((await weights({ dtype: "float64" })) as Float64Array)).toEqual(Array.from(zero as Float32Array));
});
