import { inspect } from "node:util";

import { expect, test } from "vitest";

import { ones, realize, tensor } from "@gridgrad/core";

import { BatchNorm2d, Conv2d, Identity, Linear, MaxPool2d, ReLU, Sequential, Upsample } from "./layers.ts";
import { Module } from "./module.ts";
import { AdamW, SGD } from "./optimizer.ts";
import { Buffer, Parameter } from "./slot.ts";

class Net extends Module {
  readonly name = "toy";
  readonly sizes = [1, 2, 3];
  readonly long = Array<number>(20).fill(0);
  readonly nothing = undefined;
  readonly random = new Map();
  scale = new Parameter(ones([2]));
  body = new Sequential(new Conv2d(2, 4, 3, { padding: 1, bias: false }), new BatchNorm2d(4), new ReLU());
  heads = [new Linear(4, 1), new MaxPool2d([2, 1], { stride: 2 })];
  again = this.heads[0];
  up = new Upsample({ scaleFactor: 2, mode: "bilinear" });
}

test("a module is a tree, with options, numbers of parameters and shapes", () => {
  const net = new Net();
  net.body.parameters()[0].trainable = false;
  expect(`\n${net}`).toMatchInlineSnapshot(`
    "
    Net(name: "toy", sizes: [1, 2, 3], long: [0, 0, 0, 0, 0, 0, 0, 0, ...]), 87 parameters, 72 of them frozen: scale [2]
      body: Sequential, 80 parameters, 72 of them frozen
        0: Conv2d(padding: 1), 72 parameters, frozen: weight [4, 2, 3, 3]
        1: BatchNorm2d, 8 parameters: weight [4], bias [4]; buffers running_mean [4], running_var [4], num_batches_tracked []
        2: ReLU
      heads.0: Linear, 5 parameters: weight [1, 4], bias [1]
      heads.1: MaxPool2d(kernelSize: [2, 1], stride: 2)
      again: the same as heads.0
      up: Upsample(scaleFactor: 2, mode: "bilinear")"
  `);
  expect(inspect(net)).toBe(String(net));
});

test("a module in evaluation says so once", () => {
  expect(String(new Sequential(new Identity(), new ReLU()).eval())).toMatchInlineSnapshot(`
    "Sequential; in evaluation
      0: Identity
      1: ReLU"
  `);
});

test("a frozen module says so", () => {
  const layer = new Linear(1, 1);
  for (const p of layer.parameters()) p.trainable = false;
  expect(String(layer)).toBe("Linear, 2 parameters, frozen: weight [1, 1], bias [1]");
});

test("a parameter and a buffer show their values, and that they are frozen or have an update", async () => {
  const p = new Parameter(tensor([1, 2.5]));
  expect(inspect(p)).toBe("Parameter(float32 [2], requiresGrad) [1.0, 2.5]");
  p.trainable = false;
  expect(String(p)).toBe("Parameter(float32 [2], frozen) [1.0, 2.5]");
  const count = new Buffer(tensor([0], [1], { dtype: "int32" }));
  expect(String(count)).toBe("Buffer(int32 [1]) [0]");
  count.update(count.tensor.add(1), tensor([5]));
  expect(String(count)).toBe("Buffer(int32 [1], an update is recorded) [0]");
  await realize(count.tensor);
  count.commit();
  expect(String(count)).toMatch(/^Buffer\(int32 \[1\], computed on \w+; await b\.tensor\.data\(\) reads it\)$/);
});

test("an optimiser is a line", async () => {
  const p = new Parameter(tensor([1]));
  expect(inspect(new AdamW([p, new Parameter(ones([]))], { lr: 0.001 }))).toBe(
    "AdamW(lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01) of 2 parameters after 0 steps",
  );
  const sgd = new SGD([p], { lr: 1 });
  await sgd.step(p.tensor.sum());
  expect(String(sgd)).toBe(
    "SGD(lr: 1, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0) of 1 parameter after 1 step",
  );
});
