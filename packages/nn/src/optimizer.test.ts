import { describe, expect, test } from "vitest";

import {
  add,
  apply,
  exp,
  type Op,
  openDevice,
  Random,
  ReferenceDevice,
  relu,
  sqrt,
  sub,
  sum,
  type Tensor,
  tensor,
  withDevice,
  zeros,
} from "@gridgrad/core";
import { checkGolden, parseGolden, u64 } from "@gridgrad/core/testing";
import { describeDevices } from "@gridgrad/core/testing/devices";
import { keepsFinite } from "@gridgrad/core/testing/finiteExceptions";
import { goldenFiles } from "@gridgrad/core/testing/goldenFiles";
import { bceWithLogits, crossEntropy, detach, l1Loss, mseLoss, smoothL1Loss } from "@gridgrad/ops";

import { BatchNorm2d, Conv2d } from "./layers.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";
import { Adam, AdamW, clipGradNorm, NonFiniteError, type Optimizer, SGD } from "./optimizer.ts";
import { Buffer, Parameter, pendingBuffers } from "./slot.ts";
import { optimizerRuns } from "./testing/optimizerRuns.ts";

/** The reference device with a list of the kernels that it ran. */
class CountingDevice extends ReferenceDevice {
  kernels: string[] = [];

  override run(...[op, inputs, info]: Parameters<ReferenceDevice["run"]>): ReturnType<ReferenceDevice["run"]> {
    this.kernels.push(op.name);
    return super.run(op, inputs, info);
  }

  /** The kernels since the last call. */
  take(): string[] {
    const { kernels } = this;
    this.kernels = [];
    return kernels;
  }
}

/** A batch norm before the first parameter of the model, and one behind it. */
class Net extends Module {
  first = new BatchNorm2d(2);
  conv: Conv2d;
  second = new BatchNorm2d(3);
  head: Conv2d;

  constructor(seed = 0) {
    super();
    const random = new Random(seed);
    this.conv = new Conv2d(2, 3, 1, { random });
    this.head = new Conv2d(3, 1, 1, { random });
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(relu(this.second.forward(this.conv.forward(this.first.forward(x)))));
  }

  loss(t = 0): Tensor {
    const random = new Random(100 + t);
    const x = random.normal([2, 2, 3, 3]);
    return mseLoss(this.forward(x), random.normal([2, 1, 3, 3]));
  }
}

const optimizers: readonly [string, (parameters: Parameter[]) => Optimizer][] = [
  ["SGD with momentum", (parameters) => new SGD(parameters, { lr: 0.1, momentum: 0.9 })],
  ["Adam", (parameters) => new Adam(parameters, { lr: 0.1 })],
];

/** Everything that a step may change, as plain data. */
async function everything(model: Module, optimizer: Optimizer): Promise<unknown> {
  const state: Record<string, unknown> = {};
  for (const [name, parameter] of model.namedParameters()) {
    const known = optimizer.state.get(parameter);
    for (const [key, t] of Object.entries(known?.tensors ?? {})) state[`${key}.${name}`] = await t.data();
    state[`step.${name}`] = known?.steps;
  }
  return { model: await model.stateDict(), state, steps: optimizer.steps, lr: optimizer.lr };
}

describe("updates are PyTorch's", () => {
  const cases = ["adam", "sgd", "clip"].flatMap((op) => goldenFiles(`arithmetic/optimizer/${op}*`));
  const files = [...cases, ...["adam", "sgd"].flatMap((op) => goldenFiles(`network/optimizer/${op}*`))];
  test.each(files.flatMap((file) => (["float32", "float64"] as const).map((dtype) => ({ ...file, dtype }))))(
    "$name in $dtype",
    async ({ bytes, dtype }) => {
      const golden = parseGolden(bytes);
      const results = await checkGolden(golden, optimizerRuns[golden.op], dtype);
      expect(results.length).toBeGreaterThan(1);
      expect(results.filter((result) => !result.ok)).toEqual([]);
    },
  );

  test.each([
    ["Adam", Adam, { lr: 0.1 }, [0.41423645599366177, 1.405131730160114], [0.21009138854679552, -0.7029148404675933]],
    [
      "SGD",
      SGD,
      { lr: 0.1, momentum: 0.9, dampening: 0.5 },
      [-0.48405600000000015, -0.9681120000000003],
      [0.447565575732224, -0.784337982275584],
    ],
  ] as const)("%s counts the steps of each parameter: b has no gradient in the first three", async (...row) => {
    const [, Kind, options, aAfter, bAfter] = row; // after six steps of torch 2.13 in float64
    const a = new Parameter(tensor([1, 2], [2], { dtype: "float64" }));
    const b = new Parameter(tensor([0.5, -1], [2], { dtype: "float64" }));
    const optimizer = new Kind([a, b], options);
    for (let t = 0; t < 6; t++) {
      const ofA = sum(a.tensor.mul(a.tensor));
      const ofB = sum(b.tensor.mul(detach(a.tensor)).mul(b.tensor));
      await optimizer.step(t < 3 ? ofA : add(ofA, ofB));
    }
    expect([optimizer.state.get(a)!.steps, optimizer.state.get(b)!.steps, optimizer.steps]).toEqual([6, 3, 6]);
    const got = [...(await a.tensor.data()), ...(await b.tensor.data())];
    const limit = 6 * 20 * u64; // six steps of some twenty roundings, of values up to about 2 that lose no digits
    [...aAfter, ...bAfter].forEach((value, i) => expect(Math.abs(got[i] - value)).toBeLessThanOrEqual(2 * limit));
  });
});

describe("a step", () => {
  test.each(optimizers)("of %s with a loss equals backward and a step", async (_name, create) => {
    const [one, two] = [new Net(), new Net()];
    const [direct, classic] = [create(one.parameters()), create(two.parameters())];
    for (let t = 0; t < 3; t++) {
      const { loss, gradNorm } = await direct.step(one.loss(t));
      const other = two.loss(t);
      other.backward();
      expect(await other.item()).toBe(loss);
      expect(await classic.step()).toEqual({ loss: NaN, gradNorm });
      expect(two.parameters().every((p) => p.tensor.grad === null)).toBe(true);
    }
    expect(await everything(two, classic)).toEqual(await everything(one, direct));
  });

  test("adds up the gradients of several backward calls", async () => {
    const p = new Parameter(tensor([1, 2]));
    const optimizer = new SGD([p], { lr: 1 });
    sum(p.tensor.mul(3)).backward();
    sum(p.tensor.mul(tensor([4, 5]))).backward();
    await optimizer.step();
    expect(await p.tensor.array()).toEqual([-6, -6]);
    sum(p.tensor.mul(3)).backward();
    optimizer.zeroGrad();
    await expect(optimizer.step()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: optimizer.step: at least one trainable parameter must have a gradient, got none: call loss.backward() first, or give the loss to step]`,
    );
  });

  test("scales gradients down to clipNorm, and reports their norm before", async () => {
    const p = new Parameter(zeros([2]));
    const optimizer = new SGD([p], { lr: 1 });
    const loss = (): Tensor => sum(p.tensor.mul(tensor([3, 4])));
    expect(await optimizer.step(loss(), { clipNorm: 1 })).toEqual({ loss: 0, gradNorm: 5 });
    const { gradients } = clipGradNorm([tensor([-3, -4])], 1);
    expect(await p.tensor.data()).toEqual(await gradients[0].data());
    p.set(zeros([2]));
    await optimizer.step(loss(), { clipNorm: 6 });
    expect(await p.tensor.array()).toEqual([-3, -4]);
    await expect(optimizer.step(loss(), { clipNorm: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ValueError: clipGradNorm: maxNorm must be above 0, got 0]`,
    );
    expect(() => clipGradNorm([], 1)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: clipGradNorm: gradients must hold at least one tensor, got none]`,
    );
  });

  test("goes on after a batch in which every label is ignored: its loss is NaN, as PyTorch's, and its gradients are 0", async () => {
    const labels = tensor([255, 255], [2], { dtype: "int32" });
    for (const [_name, create] of optimizers) {
      const p = new Parameter(tensor([[1, 2, 3], [3, 0.5, 1]])); // prettier-ignore
      const optimizer = create([p]);
      const loss = (): Tensor => crossEntropy(p.tensor, labels, { ignoreIndex: 255 });
      expect(await optimizer.step(loss())).toEqual({ loss: NaN, gradNorm: 0 });
      expect(await optimizer.step(loss(), { clipNorm: 1 })).toEqual({ loss: NaN, gradNorm: 0 });
      expect(await p.tensor.array()).toEqual([[1, 2, 3], [3, 0.5, 1]]); // prettier-ignore
      expect(optimizer.steps).toBe(2);
    }
  });

  test.each([
    ["mse", (x: Tensor) => mseLoss(x, zeros(x.shape))],
    ["l1", (x: Tensor) => l1Loss(x, zeros(x.shape))],
    ["smooth l1", (x: Tensor) => smoothL1Loss(x, zeros(x.shape))],
    ["binary cross entropy", (x: Tensor) => bceWithLogits(x, zeros(x.shape))],
  ])("goes on after a mean of no elements: %s", async (_name, lossOf) => {
    const p = new Parameter(tensor([1, 2]));
    expect(await new SGD([p], { lr: 1 }).step(lossOf(p.tensor.slice([[0, 0]])))).toEqual({ loss: NaN, gradNorm: 0 });
    expect(await p.tensor.array()).toEqual([1, 2]);
  });

  test("goes on when the loss is infinite and its gradients are not", async () => {
    const p = new Parameter(tensor([1]));
    const loss = add(sum(p.tensor), Infinity);
    expect(await new SGD([p], { lr: 0.5 }).step(loss)).toEqual({ loss: Infinity, gradNorm: 1 });
    expect(await p.tensor.array()).toEqual([0.5]);
  });

  test("leaves alone a parameter without a gradient, though it has weight decay", async () => {
    const [used, unused] = [new Parameter(tensor([1])), new Parameter(tensor([1]))];
    const optimizer = new AdamW([used, unused, used], { lr: 0.1, weightDecay: 0.5 });
    expect(optimizer.parameters).toEqual([used, unused]);
    await optimizer.step(sum(used.tensor));
    expect([optimizer.state.has(used), optimizer.state.has(unused)]).toEqual([true, false]);
    expect(await unused.tensor.array()).toEqual([1]);
  });

  test("leaves frozen parameters alone and does not compute their gradients", async () => {
    const device = new CountingDevice();
    await withDevice(device, async () => {
      const [p, q] = [new Parameter(tensor([2])), new Parameter(tensor([3]))];
      const optimizer = new SGD([p, q], { lr: 1 });
      q.trainable = false;
      await optimizer.step(sum(exp(p.tensor.mul(q.tensor))));
      expect(await q.tensor.array()).toEqual([3]);
      const frozen = device.take().length;
      q.trainable = true;
      p.set(tensor([2]));
      await optimizer.step(sum(exp(p.tensor.mul(q.tensor))));
      expect(device.take().length).toBeGreaterThan(frozen);
      expect(await q.tensor.item()).not.toBe(3);
    });
  });

  test("reads the learning rate when it is called", async () => {
    const p = new Parameter(tensor([0]));
    const optimizer = new SGD([p], { lr: 1 });
    for (const lr of [1, 10, 0]) {
      optimizer.lr = lr;
      await optimizer.step(sum(p.tensor));
    }
    expect(await p.tensor.item()).toBe(-11);
    optimizer.lr = NaN;
    await expect(optimizer.step(sum(p.tensor))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ValueError: optimizer.step: lr must be at least 0 and finite, got NaN]`,
    );
  });

  test("keeps state in the parameters' type", async () => {
    const p = new Parameter(tensor([1], [1], { dtype: "float64" }));
    const optimizer = new Adam([p], { lr: 0.1 });
    await optimizer.step(sum(p.tensor));
    const { exp_avg, exp_avg_sq } = optimizer.state.get(p)!.tensors;
    expect([p.tensor.dtype, exp_avg.dtype, exp_avg_sq.dtype]).toEqual(["float64", "float64", "float64"]);
  });
});

describe("a step costs", () => {
  test.each(optimizers)("one forward pass, and the same kernels each time: %s", async (_name, create) => {
    const device = new CountingDevice();
    await withDevice(device, async () => {
      const model = new Net();
      const optimizer = create(model.parameters());
      const forward = model.loss();
      await forward.item();
      for (const buffer of pendingBuffers()) buffer.rollBack();
      const alone = device.take();
      const count = (kernels: string[], name: string): number => kernels.filter((each) => each === name).length;
      expect(count(alone, "standardize")).toBe(2); // one for each batch norm
      const steps: string[][] = [];
      for (let t = 0; t < 3; t++) {
        optimizer.lr = 0.1 / (t + 1);
        await optimizer.step(model.loss(t));
        steps.push(device.take());
      }
      for (const name of ["standardize", "relu"]) expect(count(steps[1], name), name).toBe(count(alone, name));
      expect(steps[2]).toEqual(steps[1]);
    });
  });

  test.each(optimizers)("no memory: as many buffers and bytes after 50 steps as after 5, with %s", (_name, create) => {
    const device = openDevice("reference");
    return withDevice(device, async () => {
      const model = new Net();
      const optimizer = create(model.parameters());
      const after: number[][] = [];
      for (let t = 1; t <= 50; t++) {
        await optimizer.step(model.loss(t), { clipNorm: 1 });
        if (t === 5 || t === 50) after.push([device.memory.buffers, device.memory.bytes]);
        if (t === 5) device.memory.resetPeak();
        if (t === 6 || t === 50) after.push([device.memory.peakBuffers, device.memory.peakBytes]);
      }
      const [at5, peak6, at50, peak50] = after;
      expect([at50, peak50]).toEqual([at5, peak6]);
      expect(at5[0]).toBe(
        [...model.namedSlots()].length + [...optimizer.state.values()].length * optimizer.stateNames.length,
      );
      expect(pendingBuffers().filter((b) => [...model.namedBuffers().values()].includes(b))).toEqual([]);
    });
  });
});

describe("running statistics", () => {
  test("of every layer that the loss went through are updated, also before the first parameter and behind frozen ones", async () => {
    const model = new Net();
    for (const p of model.parameters()) p.trainable = false;
    model.head.weight.trainable = true;
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    for (const t of [0, 1]) await optimizer.step(model.loss(t));
    model.loss(2).backward();
    await optimizer.step();
    for (const bn of [model.first, model.second]) {
      expect(bn.running_mean.pending).toBe(null);
      expect(await bn.num_batches_tracked.tensor.item()).toBe(3);
      expect(await bn.running_mean.tensor.array()).not.toEqual(zeros(bn.running_mean.shape).values);
    }
  });

  test("of several forward passes before one step add up", async () => {
    const model = new Net();
    const optimizer = new SGD(model.parameters(), { lr: 0 });
    await optimizer.step(add(model.loss(0), model.loss(1)));
    const other = new Net();
    const steps = new SGD(other.parameters(), { lr: 0 });
    for (const t of [0, 1]) await steps.step(other.loss(t));
    expect(await model.stateDict()).toEqual(await other.stateDict());
  });

  test("of another model are none of a step's business", async () => {
    const [mine, other] = [new Net(), new Net(1)];
    other.loss();
    await new SGD(mine.parameters(), { lr: 0.1 }).step(mine.loss());
    expect(mine.second.running_mean.pending).toBe(null);
    expect(other.second.running_mean.pending).not.toBe(null);
  });

  test("that were recorded beside the loss are computed when they need what the step replaces", async () => {
    const p = new Parameter(tensor([2]));
    const mean = new Buffer(tensor([0]));
    mean.update(add(mean.tensor, p.tensor), tensor([1])); // a pass whose result nobody uses
    await new SGD([p], { lr: 1 }).step(sum(p.tensor));
    expect([mean.pending, await mean.tensor.item(), await p.tensor.item()]).toEqual([null, 2, 1]);
  });

  test("survive a forward pass that is recorded while the step runs", async () => {
    const [model, other] = [new Net(), new Net()];
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const step = optimizer.step(model.loss(0));
    const late = model.loss(1); // needs parameters that the step replaces
    await step;
    await expect(late.item()).rejects.toThrow(/has been replaced since this graph was recorded/);
    await new SGD(other.parameters(), { lr: 0.1 }).step(other.loss(0));
    expect(await model.stateDict()).toEqual(await other.stateDict());
  });
});

describe("two models", () => {
  test("train side by side on the same batches as one after the other", async () => {
    const train = async (models: Net[], all: (jobs: (() => Promise<void>)[]) => Promise<unknown>): Promise<unknown> => {
      const batches = [0, 1, 2].map((t) => new Random(t).normal([2, 2, 3, 3]));
      const jobs = models.map((model) => async () => {
        const optimizer = new Adam(model.parameters(), { lr: 0.1 });
        for (const x of batches) await optimizer.step(sum(model.forward(x)));
      });
      await all(jobs);
      return Promise.all(models.map((model) => model.stateDict()));
    };
    const together = await train([new Net(0), new Net(1)], (jobs) => Promise.all(jobs.map((job) => job())));
    const apart = await train([new Net(0), new Net(1)], async (jobs) => {
      for (const job of jobs) await job();
    });
    expect(together).toEqual(apart);
  });
});

/** An op whose kernel fails. */
const brokenOp: Op = {
  name: "broken",
  shape: ([x]) => x,
  dtype: "any",
  vjp: (dy) => [dy],
  loops() {
    throw new Error("the kernel is broken");
  },
};

describe("gradients whose squares float32 or float64 cannot hold", () => {
  const lengths = { float32: [1e-44, 3e-24, 1e-10, 1, 3e20, 6e37], float64: [1e-300, 1e-200, 1, 1e200] } as const;

  /** 3 and 4 times a length: their norm is 5 times that. */
  const pair = (dtype: "float32" | "float64", length: number): Tensor[] =>
    [3, 4].map((times) => tensor([0, times * length], undefined, { dtype }));

  const checkNorms = async (dtype: "float32" | "float64", least = 0): Promise<void> => {
    for (const length of lengths[dtype].filter((each) => each >= least)) {
      const given = pair(dtype, length);
      const all = await Promise.all(given.map((g) => g.data()));
      const wanted = Math.hypot(all[0][1] / length, all[1][1] / length); // the smallest numbers have few digits
      for (const maxNorm of length < 1 ? [Infinity, 1] : [Infinity, 1, length]) {
        const { gradients, norm } = clipGradNorm(given, maxNorm);
        expect((await norm.item()) / length / wanted).toBeCloseTo(1, length < 1e-40 ? 0 : 5);
        const scale = Math.min(1, maxNorm / length / (wanted + 1e-6 / length)); // as PyTorch guards against a norm of 0
        for (const [i, g] of gradients.entries()) {
          const [zero, value] = await g.data();
          expect(zero).toBe(0);
          if (scale === 1) expect(value).toBe(all[i][1]);
          else expect(value / length / ((all[i][1] / length) * scale)).toBeCloseTo(1, 4);
        }
      }
    }
  };

  test("have a norm, and are clipped to it, in float32", () => checkNorms("float32"));
  test("have a norm, and are clipped to it, in float64", () => checkNorms("float64"));
  describeDevices((device) => {
    // Compilers of WGSL and GLSL take numbers that are not normal for 0: docs/5-gpu.md.
    const least = keepsFinite(device.name) ? 0 : 2 ** -126;
    test("have a norm, and are clipped to it", () => withDevice(device, () => checkNorms("float32", least)));
  });

  test("are 0 without an element, and not finite with an infinity or NaN", async () => {
    const norm = (...values: number[]): Promise<number> =>
      clipGradNorm([zeros([0]), tensor(values, [values.length])], 1).norm.item();
    expect(await norm()).toBe(0);
    expect(await norm(0, 0)).toBe(0);
    expect(await norm(1, -Infinity, 2)).toBe(Infinity);
    expect(await norm(NaN, Infinity)).toBe(NaN);
  });

  test("move parameters as all others do, with a norm even beyond float32", async () => {
    const p = new Parameter(zeros([4]));
    const optimizer = new SGD([p], { lr: 1e-38 });
    const { loss, gradNorm } = await optimizer.step(sum(p.tensor.mul(3e38)));
    expect([loss, gradNorm / 6e38]).toEqual([0, expect.closeTo(1, 6)]);
    (await p.tensor.data()).forEach((value) => expect(value).toBeCloseTo(-3, 5));
    await optimizer.step(sum(p.tensor.mul(3e38)), { clipNorm: 1e38 });
    (await p.tensor.data()).forEach((value) => expect(value).toBeCloseTo(-3.5, 5));
  });

  test("are refused by Adam, which squares them, unless they are clipped", async () => {
    const p = new Parameter(zeros([1]));
    const optimizer = new Adam([p], { lr: 1 });
    const loss = (): Tensor => sum(p.tensor.mul(1e20));
    await expect(optimizer.step(loss())).rejects.toThrowErrorMatchingInlineSnapshot(
      `[NonFiniteError: optimizer.step: gradients must have a norm of at most 1.8e+19 for Adam, got loss 0 and gradient norm 100000002004087730000; nothing was updated. A smaller learning rate or { clipNorm } may help]`,
    );
    expect(await p.tensor.item()).toBe(0);
    expect((await optimizer.step(loss(), { clipNorm: 1 })).gradNorm).toBeCloseTo(1e20, -15);
    expect(await p.tensor.item()).toBeCloseTo(-1, 6);
  });
});

describe("a step that fails changes nothing", () => {
  /** What fails, how, what the error says, and whether it is the gradients, so that a step from `.grad` fails as well. */
  const failures: readonly [string, (model: Net) => Tensor, RegExp, "gradients" | "loss"][] = [
    ["a loss that is NaN", (model) => model.loss().mul(NaN), /got loss NaN and gradient norm NaN/, "gradients"],
    [
      "a gradient that is infinite",
      (model) => add(model.loss(), sum(sqrt(sub(model.head.bias!.tensor, detach(model.head.bias!.tensor))))),
      /got loss \d.* and gradient norm Infinity/,
      "gradients",
    ],
    ["a kernel that fails", (model) => apply(brokenOp, [model.loss()], {}), /the kernel is broken/, "loss"],
  ];
  describe.each(optimizers)("%s", (_name, create) => {
    test.each(failures)("%s", async (_why, failing, message, what) => {
      const device = openDevice("reference");
      await withDevice(device, async () => {
        const [model, other] = [new Net(), new Net()];
        const [optimizer, untroubled] = [create(model.parameters()), create(other.parameters())];
        await optimizer.step(model.loss(1));
        await untroubled.step(other.loss(1));
        const before = await everything(model, optimizer);
        const buffers = device.memory.buffers;
        await expect(optimizer.step(failing(model))).rejects.toThrow(message);
        expect(device.memory.buffers).toBe(buffers);
        expect(await everything(model, optimizer)).toEqual(before);
        if (what === "gradients") {
          failing(model).backward();
          await expect(optimizer.step()).rejects.toThrow(/got loss NaN and gradient norm/);
          optimizer.zeroGrad();
          expect(await everything(model, optimizer)).toEqual(before);
        }
        // And training goes on as if nothing had been.
        await optimizer.step(model.loss(2));
        await untroubled.step(other.loss(2));
        expect(await everything(model, optimizer)).toEqual(await everything(other, untroubled));
      });
    });
  });

  test("and says what was not finite", async () => {
    const p = new Parameter(tensor([1]));
    const step = new SGD([p], { lr: 1 }).step(sum(p.tensor.mul(NaN)));
    await expect(step).rejects.toThrowErrorMatchingInlineSnapshot(
      `[NonFiniteError: optimizer.step: gradients must be finite, got loss NaN and gradient norm NaN; nothing was updated. A smaller learning rate or { clipNorm } may help]`,
    );
    const error: unknown = await step.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect((error as NonFiniteError).result).toEqual({ loss: NaN, gradNorm: NaN });
  });
});

describe("errors", () => {
  const p = new Parameter(tensor([1]));

  test("a loss that is no scalar, or that no parameter has to do with", async () => {
    const optimizer = new SGD([p], { lr: 1 });
    await expect(optimizer.step(p.tensor)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: optimizer.step: loss must be a scalar, got loss of shape [1]]`,
    );
    await expect(optimizer.step(sum(tensor([1])))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: optimizer.step: at least one trainable parameter must have a gradient, got none: the loss does not depend on the parameters as they are now (was it recorded before the last step?)]`,
    );
    const loss = sum(p.tensor.mul(2));
    await optimizer.step(loss);
    await expect(optimizer.step(loss)).rejects.toThrow(/recorded before the last step/);
  });

  test("a step that nobody waits for", async () => {
    const q = new Parameter(tensor([1]));
    const optimizer = new SGD([q], { lr: 1 });
    const first = optimizer.step(sum(q.tensor));
    await expect(optimizer.step(sum(q.tensor))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: optimizer.step: the step before must be done (await it), got a call while it runs]`,
    );
    await first;
    await optimizer.step(sum(q.tensor));
    expect(await q.tensor.item()).toBe(-1);
  });

  test("hyperparameters out of their ranges", () => {
    expect(() => new SGD([], { lr: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: SGD: parameters must hold at least one parameter, got none]`,
    );
    expect(() => new SGD([p], { lr: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: SGD: lr must be at least 0 and finite, got -1]`,
    );
    expect(() => new SGD([p], { lr: 1, momentum: -0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: SGD: momentum must be at least 0 and finite, got -0.5]`,
    );
    expect(() => new SGD([p], { lr: 1, dampening: NaN })).toThrow(/^SGD: dampening must be/);
    expect(() => new SGD([p], { lr: 1, weightDecay: Infinity })).toThrow(/^SGD: weightDecay must be/);
    expect(() => new SGD([p], { lr: 1, nesterov: true })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: SGD: nesterov needs momentum above 0 and dampening 0, got momentum 0 and dampening 0]`,
    );
    expect(() => new Adam([p], { lr: NaN })).toThrow(/^Adam: lr must be/);
    expect(() => new Adam([p], { lr: 1, betas: [0.9, 1] })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Adam: betas[1] must be in [0, 1), got 1]`,
    );
    expect(() => new AdamW([p], { lr: 1, eps: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: AdamW: eps must be at least 0 and finite, got -1]`,
    );
  });

  test("hyperparameters are those that were given and defaults, and nobody else's to change", () => {
    const betas: [number, number] = [0.5, 0.75];
    const { hyperparameters } = new AdamW([p], { lr: 1, betas });
    betas[0] = 0;
    expect(hyperparameters).toEqual({ betas: [0.5, 0.75], eps: 1e-8, weightDecay: 0.01 });
    expect(new Adam([p], { lr: 1 }).hyperparameters).toEqual({ betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 });
    expect(new SGD([p], { lr: 1, momentum: 0.9 }).hyperparameters).toEqual({
      momentum: 0.9,
      dampening: 0,
      nesterov: false,
      weightDecay: 0,
    });
  });
});

describe("an optimiser refuses", () => {
  const p = new Parameter(tensor([1]));
  const no = (value: unknown) => value as never;

  test("what are no parameters", async () => {
    const layer = new Linear(1, 1);
    expect(() => new SGD(no(layer), { lr: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: SGD: parameters must be a list of parameters, got an object (Linear); write new SGD(model.parameters(), { .. })]`,
    );
    expect(() => new Adam(no(undefined), { lr: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Adam: parameters must be a list of parameters, got undefined]`,
    );
    expect(() => new Adam(no(p), { lr: 1 })).toThrow(/parameters must be a list of parameters, got an object/);
    expect(() => new Adam(no([tensor([1])]), { lr: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Adam: parameters must be a list of parameters, got an object (Tensor) among them; model.parameters() lists a model's]`,
    );
    expect(() => new AdamW(no([{ params: [p], lr: 1 }]), { lr: 1 })).toThrow(/got an object \(Object\) among them/);
    expect(() => new AdamW(no([new Buffer(tensor([1])), layer]), { lr: 1 })).toThrow(
      /got an object \(Buffer\) among them/,
    );
    expect(() => new AdamW(no([layer]), { lr: 1 })).toThrow(/got an object \(Linear\) among them/);
    const copy = "./slot.ts?copy";
    const other = (await import(/* @vite-ignore */ copy)) as { Parameter: typeof Parameter };
    expect(() => new SGD(no([new other.Parameter(tensor([1]))]), { lr: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: SGD: parameters must be a list of parameters, got a Parameter or Buffer of another copy of @gridgrad/nn (\`npm ls @gridgrad/nn\` must list one version, once)]`,
    );
    const generated = function* () {
      yield p;
      yield p;
    };
    expect(new SGD(generated(), { lr: 1 }).parameters).toEqual([p]); // once through, once each
  });

  test("options by position, of other names, or none", () => {
    expect(() => new SGD([p], no(0.1))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: SGD: options must stand in one object, got 0.1; write new SGD(parameters, { lr: 0.1 })]`,
    );
    expect(() => new AdamW([p], no({ lr: 1, weight_decay: 0.5 }))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: AdamW: unknown option "weight_decay"; did you mean weightDecay? It takes lr, betas, eps, weightDecay]`,
    );
    expect(() => new AdamW([p], no(undefined))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: AdamW: lr must be at least 0 and finite, got undefined]`,
    );
    expect(() => new Adam([p], { lr: 1, betas: no(0.9) })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Adam: betas must be a pair of numbers, got 0.9]`,
    );
  });

  test("a loss that is none", async () => {
    const optimizer = new SGD([p], { lr: 1 });
    const step = (loss: unknown) => expect(optimizer.step(no(loss))).rejects;
    await step(() => p.tensor.sum()).toThrow("optimizer.step: loss must be a Tensor, got a function; call it first");
    await step({ clipNorm: 1 }).toThrow("optimizer.step: loss must be a Tensor, got an object (Object)");
    await step(null).toThrow(/loss must be a Tensor, got null/);
    expect(() => clipGradNorm(no(tensor([1])), 1)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: clipGradNorm: gradients must be an array of tensors, got an object (Tensor)]`,
    );
  });
});
