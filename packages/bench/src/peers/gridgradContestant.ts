/** @file gridgrad on one of its devices. */

import {
  exp,
  gradientsOf,
  leaf,
  matmul,
  openDevice,
  readValues,
  realize,
  reshape,
  setDevice,
  slice,
  sum,
  type Tensor,
} from "@gridgrad/core";
import { DySample, Fpn4 } from "@gridgrad/dysample";
import { Adam, functionalCall } from "@gridgrad/nn";
import {
  batchNorm2d,
  conv1x1,
  conv2d,
  crossEntropy,
  gridSample,
  interpolate,
  pixelShuffle,
  softmax,
} from "@gridgrad/ops";

import { freeAll, resident } from "../resident.ts";
import {
  type Contestant,
  differentiated,
  type HostTensor,
  type HostTensors,
  type Prepared,
  type Task,
} from "./task.ts";

type Tensors = Readonly<Record<string, Tensor>>;
type Attrs = Task["attrs"];

/** For each work, from its attributes and inputs, what is recorded in each run; more than one result where the op has more than one. */
const works: Partial<Record<Task["work"], (attrs: Attrs, inputs: Tensors) => () => Tensors>> = {
  batchNorm:
    (_, { x, weight, bias, mean, variance }) =>
    () => {
      const { y, runningMean, runningVar } = batchNorm2d(x, mean, variance, { weight, bias, training: true });
      return { y, mean: runningMean, variance: runningVar };
    },
  conv1x1:
    (_, { x, weight }) =>
    () => ({ y: conv1x1(x, weight) }),
  conv2d:
    (_, { x, weight }) =>
    () => ({ y: conv2d(x, weight, null, { padding: 1 }) }),
  dysample({ style, groups }, { x, weight, bias }) {
    const up = new DySample(x.shape[1], { style: style as "lp" | "pl", groups: Number(groups) });
    return () => ({ y: functionalCall(up, { "offset.weight": weight, "offset.bias": bias }, () => up.forward(x)) });
  },
  exp:
    (_, { x }) =>
    () => ({ y: exp(x) }),
  gridSample:
    (_, { x, grid }) =>
    () => ({ y: gridSample(x, grid, { paddingMode: "border" }) }),
  interpolate:
    (_, { x }) =>
    () => ({ y: interpolate(x, { scaleFactor: 2, mode: "bilinear" }) }),
  matmul:
    (_, { a, b }) =>
    () => ({ y: matmul(a, b) }),
  pixelShuffle:
    ({ scale }, { x }) =>
    () => ({ y: pixelShuffle(x, Number(scale)) }),
  softmax:
    ({ axis }, { x }) =>
    () => ({ y: softmax(x, Number(axis)) }),
  sum:
    (_, { x }) =>
    () => ({ y: sum(x) }),
};

export async function openGridgrad(name: string): Promise<Contestant> {
  const device = openDevice(name);
  const runsOn = (await device.ready?.()) ?? "plain loops";
  setDevice(device);
  /** A device that only queues its work is done when a value has been read. */
  const finish = async (y: Tensor): Promise<void> => {
    await realize(y);
    if (name.startsWith("gpu")) await slice(reshape(y, [y.size]), [[0, 1]]).item();
  };

  return {
    version: `${name}: ${runsOn}`,
    threads: name === "cpu" ? threadsOf(runsOn) : "1",
    async prepare(task, inputs) {
      if (task.work === "trainingStep") return prepareTrainingStep(inputs, task.attrs);
      const work = works[task.work];
      if (!work) return `gridgrad has no ${task.work}`;
      const leaves: Record<string, Tensor> = {};
      for (const [key, tensor] of Object.entries(inputs)) leaves[key] = await resident(fromHost(tensor));
      const forward = work(task.attrs, leaves);
      const record = (): Tensors => {
        const results = forward();
        if (!task.gradients) return results;
        const names = differentiated(inputs);
        const wrt = names.map((key) => leaves[key]);
        const gradients = gradientsOf(results.y, wrt, leaves.dy).map((g, i) => [`d${names[i]}`, g!] as const);
        return { ...results, ...Object.fromEntries(gradients) };
      };
      return {
        outputs: () => read(record()),
        async run() {
          const results = Object.values(record());
          await realize(...results);
          await finish(results[results.length - 1]);
          return () => freeAll(results);
        },
        release: () => freeAll(Object.values(leaves)),
      };
    },
    close: () => device.close(),
  };
}

/** The device tells its threads in its line about itself. */
function threadsOf(runsOn: string): string {
  return /(\d+) threads?/.exec(runsOn)?.[1] ?? "1";
}

/** A leaf, on the host. */
function fromHost({ shape, values }: HostTensor): Tensor {
  return leaf(shape, values instanceof Int32Array ? "int32" : "float32", values);
}

async function read(results: Tensors): Promise<HostTensors> {
  await realize(...Object.values(results));
  const entries: [string, HostTensor][] = [];
  for (const [name, t] of Object.entries(results)) {
    entries.push([name, { shape: t.shape, values: Float32Array.from(await readValues(t)) }]);
  }
  return Object.fromEntries(entries);
}

async function prepareTrainingStep(inputs: HostTensors, { upsampler }: Attrs): Promise<Prepared> {
  const model = new Fpn4(String(upsampler));
  for (const [name, slot] of model.namedSlots()) {
    const given = inputs[`state.${name}`];
    if (given) slot.set(leaf(given.shape, "float32", given.values));
  }
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const { images, masks } = inputs;
  const loss = (): Tensor => {
    const logits = model.forward(leaf(images.shape, "float32", images.values));
    return crossEntropy(logits, leaf(masks.shape, "int32", masks.values));
  };
  // The images go to the device in every step, as in a training run, where they are others each time.
  return {
    async outputs() {
      const parameters = model.namedParameters();
      const value = functionalCall(model, {}, loss); // leaves the running statistics alone
      const wrt = [...parameters.values()].map(({ tensor }) => tensor);
      const gradients = gradientsOf(value, wrt);
      const results = await read(
        Object.fromEntries([...parameters.keys()].map((name, i) => [`d${name}`, gradients[i]!])),
      );
      const losses: number[] = [];
      for (let step = 0; step < 3; step++) losses.push((await optimizer.step(loss())).loss);
      return { losses: { shape: [losses.length], values: Float32Array.from(losses) }, ...results };
    },
    async run() {
      await optimizer.step(loss());
      return () => {};
    },
    release() {},
  };
}
