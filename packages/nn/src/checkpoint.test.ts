import { describe, expect, test } from "vitest";

import {
  decodeSafetensors,
  encodeSafetensors,
  openDevice,
  Random,
  relu,
  SafetensorsError,
  sum,
  type Tensor,
  tensor,
  withDevice,
  zeros,
} from "@gridgrad/core";
import { mseLoss } from "@gridgrad/ops";

import { decodeCheckpoint, encodeCheckpoint, restoreCheckpoint, type Run } from "./checkpoint.ts";
import { BatchNorm2d, Conv2d, Linear } from "./layers.ts";
import { Module } from "./module.ts";
import { Adam, AdamW, type Optimizer, SGD } from "./optimizer.ts";
import { cosineLr } from "./schedule.ts";
import { Parameter } from "./slot.ts";

class Net extends Module {
  conv: Conv2d;
  bn = new BatchNorm2d(3);
  head: Conv2d;

  constructor(random: Random) {
    super();
    this.conv = new Conv2d(2, 3, 3, { random });
    this.head = new Conv2d(3, 1, 1, { random });
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(relu(this.bn.forward(this.conv.forward(x))));
  }
}

interface Training extends Run {
  readonly model: Net;
  readonly optimizer: Optimizer;
  readonly random: Random;
}

const rate = cosineLr({ lr: 0.05, steps: 8, warmup: 2 });

function start(seed: number, create = (p: Parameter[]): Optimizer => new Adam(p, { lr: 0.05 })): Training {
  const model = new Net(new Random(seed));
  return { model, optimizer: create(model.parameters()), random: new Random(seed + 1) };
}

/** Trains the steps `from` .. `to` - 1 on batches from the run's own stream. */
async function train({ model, optimizer, random }: Training, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let t = from; t < to; t++) {
    optimizer.lr = rate(t);
    const loss = mseLoss(model.forward(random.normal([2, 2, 4, 4])), random.normal([2, 1, 2, 2]));
    losses.push((await optimizer.step(loss)).loss);
  }
  return losses;
}

/** A checkpoint's bytes with other metadata. */
function edited(bytes: Uint8Array, change: Record<string, string>): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes);
  return encodeSafetensors(tensors, { ...metadata, ...change });
}

describe("a checkpoint", () => {
  test.each<[string, (p: Parameter[]) => Optimizer]>([
    ["Adam", (p) => new Adam(p, { lr: 0.05 })],
    ["AdamW", (p) => new AdamW(p, { lr: 0.05, weightDecay: 0.1 })],
    ["SGD with momentum", (p) => new SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true })],
    ["plain SGD", (p) => new SGD(p, { lr: 0.05 })],
  ])("resumes a run bit by bit as if it had not stopped: %s", async (_name, create) => {
    const whole = start(1, create);
    const losses = await train(whole, 0, 6);

    const stopped = start(1, create);
    await train(stopped, 0, 3);
    const bytes = await encodeCheckpoint(stopped, 3, { epoch: [1, "a"] });

    const resumed = start(50, create); // other weights and another stream, until it is restored
    const checkpoint = decodeCheckpoint(bytes);
    expect([checkpoint.step, checkpoint.extra]).toEqual([3, { epoch: [1, "a"] }]);
    restoreCheckpoint(checkpoint, resumed);
    expect(resumed.optimizer.lr).toBe(rate(2));
    expect(await encodeCheckpoint(resumed, 3, { epoch: [1, "a"] })).toEqual(bytes);
    expect(await train(resumed, 3, 6)).toEqual(losses.slice(3));
    expect(await encodeCheckpoint(resumed, 6)).toEqual(await encodeCheckpoint(whole, 6));
  });

  test("is of the moment of the call, while training goes on", async () => {
    const run = start(1);
    await train(run, 0, 1);
    const expected = await encodeCheckpoint(run, 1);
    await train(run, 1, 2);

    const again = start(1);
    await train(again, 0, 1);
    const [bytes] = await Promise.all([encodeCheckpoint(again, 1), train(again, 1, 2)]);
    expect(bytes).toEqual(expected);
    expect(await encodeCheckpoint(again, 2)).toEqual(await encodeCheckpoint(run, 2));
  });

  test("works without optimiser and stream", async () => {
    const { model } = start(1);
    const { model: other } = start(2);
    const checkpoint = decodeCheckpoint(await encodeCheckpoint({ model }, 0));
    expect([checkpoint.optimizer, checkpoint.randomState, checkpoint.extra]).toEqual([null, null, null]);
    restoreCheckpoint(checkpoint, { model: other });
    expect(await other.stateDict()).toEqual(await model.stateDict());
  });

  test("keeps how many steps each parameter has seen", async () => {
    const run = start(1);
    run.model.head.weight.trainable = false;
    await train(run, 0, 2);
    run.model.head.weight.trainable = true;
    await train(run, 2, 3);
    const other = start(2);
    restoreCheckpoint(decodeCheckpoint(await encodeCheckpoint(run, 3)), other);
    const steps = (of: Training): (number | undefined)[] =>
      of.model.parameters().map((p) => of.optimizer.state.get(p)?.steps);
    expect(steps(other)).toEqual([3, 3, 3, 3, 1, 3]);
    expect(steps(other)).toEqual(steps(run));
  });

  test("frees the optimiser state that it replaces", () => {
    const device = openDevice("reference");
    return withDevice(device, async () => {
      const run = start(1);
      const before = decodeCheckpoint(await encodeCheckpoint(run, 0));
      await train(run, 0, 2);
      expect(device.memory.buffers).toBeGreaterThan(0);
      restoreCheckpoint(before, run);
      expect([device.memory.buffers, run.optimizer.state.size, run.optimizer.steps]).toEqual([0, 0, 0]);
    });
  });

  test("is converted to the element types of the run", async () => {
    const run = start(1);
    await train(run, 0, 2);
    const double = start(2);
    await double.model.to("float64");
    restoreCheckpoint(decodeCheckpoint(await encodeCheckpoint(run, 2)), double);
    const { weight } = double.model.conv;
    expect([weight.tensor.dtype, double.optimizer.state.get(weight)!.tensors.exp_avg.dtype]).toEqual([
      "float64",
      "float64",
    ]);
    await double.optimizer.step(sum(double.model.forward(zeros([1, 2, 4, 4], { dtype: "float64" }))));
  });

  test("names its tensors by model and optimiser", async () => {
    const model = new Linear(1, 1, { bias: false });
    const optimizer = new Adam(model.parameters(), { lr: 0.1 });
    await optimizer.step(sum(model.forward(tensor([1]))));
    const { tensors, metadata } = decodeSafetensors(await encodeCheckpoint({ model, optimizer }, 1));
    expect(Object.keys(tensors).sort()).toEqual([
      "model.weight",
      "optimizer.exp_avg.weight",
      "optimizer.exp_avg_sq.weight",
      "optimizer.step.weight",
    ]);
    expect(metadata).toEqual({
      format: "gridgrad-checkpoint-1",
      step: "1",
      extra: "null",
      optimizer:
        '{"kind":"Adam","steps":1,"lr":0.1,"hyperparameters":{"betas":[0.9,0.999],"eps":1e-8,"weightDecay":0}}',
    });
  });
});

describe("a checkpoint is refused, and the run stays as it was,", () => {
  async function refused(checkpoint: Uint8Array, run: Training): Promise<string> {
    const before = await encodeCheckpoint(run, 0);
    let message = "";
    try {
      restoreCheckpoint(decodeCheckpoint(checkpoint), run);
    } catch (error) {
      message = String(error);
    }
    expect(await encodeCheckpoint(run, 0)).toEqual(before);
    return message;
  }

  test("with another optimiser or other options", async () => {
    const run = start(1);
    await train(run, 0, 1);
    const bytes = await encodeCheckpoint(run, 1);
    const sgd = start(2, (p) => new SGD(p, { lr: 1 }));
    expect(await refused(bytes, sgd)).toMatchInlineSnapshot(
      `"ValueError: restoreCheckpoint: the optimiser must be the one that the checkpoint was written with, Adam {"betas":[0.9,0.999],"eps":1e-8,"weightDecay":0}, got SGD {"momentum":0,"dampening":0,"nesterov":false,"weightDecay":0}"`,
    );
    const other = start(2, (p) => new Adam(p, { lr: 1, eps: 1e-3 }));
    expect(await refused(bytes, other)).toMatch(/"eps":1e-8.*got Adam .*"eps":0.001/);
    expect(await refused(await encodeCheckpoint({ model: run.model }, 1), start(2))).toMatch(
      /written with, none \{\}, got Adam/,
    );
  });

  test("without the state of the random stream", async () => {
    const { model, optimizer } = start(1);
    expect(await refused(await encodeCheckpoint({ model, optimizer }, 0), start(2))).toMatchInlineSnapshot(
      `"ValueError: restoreCheckpoint: the checkpoint must hold the state of the random stream, got none"`,
    );
  });

  test("when the model is another one", async () => {
    const run = start(1);
    await train(run, 0, 1);
    const bytes = await encodeCheckpoint(run, 1);
    const changed = (change: (model: Net) => void): Training => {
      const { model, random } = start(2);
      change(model);
      return { model, random, optimizer: new Adam(model.parameters(), { lr: 1 }) };
    };
    const wider = changed((model) => (model.head.weight = new Parameter(zeros([2, 3, 1, 1]))));
    expect(await refused(bytes, wider)).toMatchInlineSnapshot(
      `"ValueError: restoreCheckpoint: the model must have a parameter head.weight of shape [1, 3, 1, 1], got one of shape [2, 3, 1, 1]"`,
    );
    const narrower = changed((model) => (model.head.bias = null));
    expect(await refused(bytes, narrower)).toMatch(
      /must have a parameter head\.bias of shape \[1\], got none of that name/,
    );
    const untrained = await encodeCheckpoint(start(1), 0); // no state yet, so the model is the one to complain
    expect(await refused(untrained, wider)).toMatch(/head\.weight must have shape \[2, 3, 1, 1\], got \[1, 3, 1, 1\]/);
  });

  test("when tensors of the optimiser are missing", async () => {
    const run = start(1);
    await train(run, 0, 1);
    const { tensors, metadata } = decodeSafetensors(await encodeCheckpoint(run, 1));
    const without = (gone: string): Uint8Array =>
      encodeSafetensors(Object.fromEntries(Object.entries(tensors).filter(([name]) => name !== gone)), metadata);
    expect(await refused(without("optimizer.exp_avg_sq.head.bias"), run)).toMatchInlineSnapshot(
      `"ValueError: restoreCheckpoint: the state of head.bias must hold step, exp_avg, exp_avg_sq, got step 1 and exp_avg"`,
    );
    expect(await refused(without("optimizer.step.head.bias"), run)).toMatch(/must hold step.*got step NaN/);
    expect(await refused(without("model.bn.running_mean"), run)).toMatch(/1 problem: bn\.running_mean is missing/);
  });

  test("when the file is cut short, wherever that is", async () => {
    const run = start(1);
    const bytes = await encodeCheckpoint(run, 0);
    for (let share = 0; share < 1; share += 1 / 64) {
      expect(() => decodeCheckpoint(bytes.subarray(0, Math.floor(bytes.length * share)))).toThrow(SafetensorsError);
    }
  });

  test("when its metadata were edited", async () => {
    const bytes = await encodeCheckpoint(start(1), 0);
    const decode = (change: Record<string, string>) => () => decodeCheckpoint(edited(bytes, change));
    expect(decode({ format: "pt" })).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: checkpoint: metadata must have format "gridgrad-checkpoint-1", got "pt" (weights without a run?)]`,
    );
    expect(decode({ step: "-1" })).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: checkpoint: step must be an integer of at least 0, got "-1"]`,
    );
    expect(decode({ step: "" })).toThrow(/^checkpoint: step must be/);
    expect(decode({ extra: "{" })).toThrow(/^checkpoint: metadata extra must be JSON/);
    expect(decode({ optimizer: '{"kind":"Adam"}' })).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: checkpoint: metadata optimizer must have kind, steps and lr, got {"kind":"Adam"}]`,
    );
    expect(decode({ optimizer: '"Adam"' })).toThrow(/^checkpoint: metadata optimizer must have/);
    expect(decode({ random: "4294967296" })).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: checkpoint: metadata random must be an integer in [0, 2^32), got "4294967296"]`,
    );
    expect(decode({ random: "" })).toThrow(/^checkpoint: metadata random must be/);
  });

  test("when it holds weights only", async () => {
    const weights = encodeSafetensors(await start(1).model.stateDict(), {});
    expect(() => decodeCheckpoint(weights)).toThrowErrorMatchingInlineSnapshot(
      `[SafetensorsError: checkpoint: metadata must have format "gridgrad-checkpoint-1", got null (weights without a run?)]`,
    );
  });
});

test("a checkpoint is not written when it would lose something", async () => {
  const { model } = start(1);
  const stranger = new Parameter(zeros([3]));
  const optimizer = new SGD([...model.parameters(), stranger], { lr: 1 });
  await expect(encodeCheckpoint({ model, optimizer }, 0)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ValueError: encodeCheckpoint: the model must hold every parameter of the optimiser, or its values would be lost, got another one of shape [3]]`,
  );
  await expect(encodeCheckpoint({ model }, 1.5)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ValueError: encodeCheckpoint: step must be an integer of at least 0, got 1.5]`,
  );
});

test("a part of the run that has another name is not left out in silence", async () => {
  const model = new Linear(1, 1);
  const run = { model, optimiser: new SGD(model.parameters(), { lr: 1 }) };
  await expect(encodeCheckpoint(run, 1)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ValueError: encodeCheckpoint: unknown option "optimiser"; did you mean optimizer? It takes model, optimizer, random]`,
  );
  await expect(encodeCheckpoint(undefined as never, 1)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ValueError: encodeCheckpoint: the model must be a module, got undefined]`,
  );
  const checkpoint = decodeCheckpoint(await encodeCheckpoint({ model }, 1));
  expect(() => restoreCheckpoint(checkpoint, run)).toThrow(/restoreCheckpoint: unknown option "optimiser"/);
  const parameter = model.weight as never;
  expect(() => restoreCheckpoint(checkpoint, { model: parameter })).toThrow(
    /the model must be a module, got an object/,
  );
  expect(() => restoreCheckpoint(checkpoint, { model: [] as never })).toThrow(
    /the model must be a module, got an array/,
  );
});
