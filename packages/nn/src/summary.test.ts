import { inspect } from "node:util";

import { afterEach, describe, expect, test } from "vitest";

import { add, countMacs, eager, getDevice, ones, setEager, tensor, type Tensor, zeros } from "@gridgrad/core";

import { defaultRandom, manualSeed, normal } from "./init.ts";
import { BatchNorm2d, Conv2d, Linear, MaxPool2d, ReLU, Sequential } from "./layers.ts";
import { Module } from "./module.ts";
import { pendingBuffers } from "./slot.ts";
import { summary } from "./summary.ts";

const net = (): Sequential =>
  new Sequential(
    new Conv2d(3, 8, 3, { padding: 1 }),
    new BatchNorm2d(8),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(8, 2, 1, { bias: false }),
  );

afterEach(() => setEager(false));

test("lists the layers with shapes, parameters and multiply-accumulates", () => {
  const model = net();
  model.parameters()[0].trainable = false;
  const found = summary(model, [2, 3, 16, 16]);
  expect(`\n${found}`).toMatchInlineSnapshot(`
    "
    name  layer        output          parameters    MACs
          Sequential   [2, 2, 8, 8]           256  112640
    0     Conv2d       [2, 8, 16, 16]         224  110592
    1     BatchNorm2d  [2, 8, 16, 16]          16       0
    2     ReLU         [2, 8, 16, 16]           0       0
    3     MaxPool2d    [2, 8, 8, 8]             0       0
    4     Conv2d       [2, 2, 8, 8]            16    2048
    256 parameters, 216 of them frozen, 112.6 kMACs"
  `);
  expect(inspect(found)).toBe(String(found));
  expect([found.parameters, found.trainableParameters]).toEqual([256, 40]);
  expect(found.macs).toBe(countMacs(model.eval().forward(zeros([2, 3, 16, 16]))));
});

test("the layers of a chain add up to the model", () => {
  const [whole, ...layers] = summary(net(), [1, 3, 4, 4]).rows;
  expect(layers.reduce((total, { macs }) => total + macs, 0)).toBe(whole.macs);
  expect(layers.reduce((total, { parameters }) => total + parameters, 0)).toBe(whole.parameters);
});

/** A layer called twice under two names, one that is not called, and inputs and results in lists and records. */
class Forked extends Module {
  body = new Linear(3, 3, { bias: false });
  unused = new Linear(5, 5);
  same = this.body;
  split = new Split();

  forward(a: Tensor, b: Tensor): readonly Tensor[] {
    const { left, right } = this.split.forward([this.body.forward(a), this.same.forward(b)]);
    return [left, right];
  }
}

class Split extends Module {
  forward([a, b]: readonly Tensor[]): { left: Tensor; right: Tensor } {
    return { left: add(a, b), right: a.matmul(b.transpose(0, 1)) };
  }
}

test("calls add up, a shared layer stands once, and results may be lists and records", () => {
  const { rows, parameters } = summary(new Forked(), [2, 3], ones([2, 3]));
  expect(rows.map(({ name, kind, outputShapes, macs }) => [name, kind, outputShapes, macs])).toEqual([
    ["", "Forked", [[2, 3], [2, 2]], 2 * 18 + 12],
    ["body", "Linear", [[2, 3]], 2 * 18],
    ["unused", "Linear", [], 0],
    ["split", "Split", [[2, 3], [2, 2]], 12],
  ]); // prettier-ignore
  expect(parameters).toBe(9 + 30);
});

describe("nothing is changed", () => {
  test("of the model: its statistics, its mode, its methods", async () => {
    const model = net();
    const before = await model.stateDict();
    const keys = model.modules().map((module) => Reflect.ownKeys(module));
    const pending = pendingBuffers().length;
    const { buffers } = getDevice().memory;
    summary(model, [2, 3, 16, 16]);
    expect(await model.stateDict()).toEqual(before);
    expect(model.modules().map((module) => Reflect.ownKeys(module))).toEqual(keys);
    expect([model.training, pendingBuffers().length, getDevice().memory.buffers]).toEqual([true, pending, buffers]);
  });

  test("of a recorded update, which stays to be computed", () => {
    const model = net();
    model.forward(ones([2, 3, 4, 4]));
    const updates = [...model.namedBuffers().values()].map((buffer) => buffer.pending);
    summary(model, [2, 3, 16, 16]);
    expect([...model.namedBuffers().values()].map((buffer) => buffer.pending)).toEqual(updates);
    expect(updates.every((update) => update !== null)).toBe(true);
  });

  test("of a forward that is a field, also where it throws", () => {
    const model = new (class extends Module {
      inner = new ReLU();
      forward = (x: Tensor): Tensor => this.inner.forward(x).reshape([3]);
    })();
    const { forward } = model;
    expect(summary(model, [1, 3]).rows[0].outputShapes).toEqual([[3]]);
    expect(() => summary(model, [1, 4])).toThrow(/^reshape: /);
    expect(model.forward).toBe(forward);
    expect(Object.hasOwn(model.inner, "forward")).toBe(false);
  });

  test("of eager mode and of random numbers; no kernel runs", () => {
    manualSeed(3);
    const noisy = new (class extends Module {
      forward(x: Tensor): Tensor {
        return x.matmul(normal([3, 2]));
      }
    })();
    const { state } = defaultRandom();
    setEager(true);
    expect(summary(noisy, [4, 3]).macs).toBe(24);
    expect([eager(), defaultRandom().state]).toEqual([true, state]);
  });
});

test("takes the element type of the model", async () => {
  const model = await new Linear(2, 2).to("float64");
  expect(summary(model, [1, 2]).macs).toBe(4);
  expect(summary(model, tensor([[1, 2]], [1, 2], { dtype: "float64" })).macs).toBe(4);
});

test("refuses a module that cannot be called", () => {
  class Parts extends Module {}
  expect(() => summary(new Parts() as never, [1])).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: summary: model must have a method forward, got a Parts without one]`,
  );
});
