import { expect, test } from "vitest";

import { concat, matmul, stack, sum } from "./ops/index.ts";
import { grad } from "./autograd.ts";
import { realize } from "./realize.ts";
import { tensor, zeros } from "./leaf.ts";
import type { Tensor } from "./tensor.ts";

const x = zeros([2]);
const wrong = (f: (no: never) => unknown, value: unknown) => expect(() => f(value as never));

test("what is no tensor is told with what makes one of it", () => {
  wrong((no) => sum(no), null).toThrowErrorMatchingInlineSnapshot(`[ValueError: sum: x must be a Tensor, got null]`);
  wrong((no) => matmul(x, no), [1, 2]).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: matmul: b must be a Tensor, got an array of length 2; tensor(..) makes one of numbers]`,
  );
  wrong((no) => sum(no), () => x).toThrowErrorMatchingInlineSnapshot(`[ValueError: sum: x must be a Tensor, got a function; call it first]`); // prettier-ignore
  wrong((no) => sum(no), Promise.resolve(x)).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: sum: x must be a Tensor, got an object (Promise); await it first]`,
  );
  wrong((no) => sum(no), { tensor: x }).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: sum: x must be a Tensor, got an object (Object), whose tensor is .tensor]`,
  ); // as parameters have theirs
  wrong((no) => grad(x.sum(), [no]), undefined).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: grad: wrt[0] must be a Tensor, got undefined]`,
  );
  wrong((no) => grad(x.sum(), no), x).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: grad: wrt must be an array of tensors, got an object (Tensor)]`,
  );
  wrong((no) => realize(no), [x]).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: realize: argument 0 must be a Tensor, got an array of length 1; tensors stand one by one here]`,
  );
});

test("tensors that shall stand in an array may not stand alone", () => {
  wrong((no) => concat(no), x).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: concat: xs must be an array of tensors, got an object (Tensor); write concat([a, b])]`,
  );
  wrong((no) => stack([x, no]), 1).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: stack: xs[1] must be a Tensor, got 1; tensor(..) makes one of numbers]`,
  );
});

test("a tensor of another copy of the package is told from other objects", async () => {
  const copy = "./tensor.ts?copy"; // a module of its own, with a class of its own
  const other = (await import(/* @vite-ignore */ copy)) as { Tensor: typeof Tensor };
  const foreign = new other.Tensor([2], "float32", { values: new Float32Array(2), requiresGrad: false });
  wrong((no) => matmul(x, no), foreign).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: matmul: b must be a Tensor, got a Tensor of another copy of @gridgrad/core (\`npm ls @gridgrad/core\` must list one version, once)]`,
  );
  class Tensor2 {
    shape = [2];
  }
  wrong((no) => matmul(x, no), new Tensor2()).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: matmul: b must be a Tensor, got an object (Tensor2)]`,
  );
  expect(tensor([1])).not.toBeInstanceOf(other.Tensor);
});
