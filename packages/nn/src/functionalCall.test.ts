import { describe, expect, test } from "vitest";

import { add, grad, mul, sum, type Tensor, tensor } from "@gridgrad/core";

import { functionalCall } from "./functionalCall.ts";
import { Module } from "./module.ts";
import { Buffer, Parameter, pendingBuffers } from "./slot.ts";

/** y = w x, and counts its calls in a buffer. */
class Times extends Module {
  w = new Parameter(tensor([2]));
  calls = new Buffer(tensor([0]));
  again = this.w;

  forward(x: Tensor): Tensor {
    this.calls.update(add(this.calls.tensor, 1), x);
    return mul(x, this.w.tensor);
  }
}

describe("functionalCall", () => {
  test("computes with the given tensors, and with gradients for them", async () => {
    const module = new Times();
    const w = tensor([5]);
    const y = functionalCall(module, { w }, () => module.forward(tensor([3])));
    const [dw] = grad(sum(y), [w]);
    expect([await y.array(), await dw.array()]).toEqual([[15], [3]]);
  });

  test("leaves the module as it was: tensors, and updates of buffers", async () => {
    const module = new Times();
    module.forward(tensor([1]));
    const { tensor: before } = module.w;
    const counts = functionalCall(module, { w: tensor([5]), calls: tensor([100]) }, () => {
      module.forward(tensor([1]));
      module.forward(tensor([1]));
      return module.calls.tensor;
    });
    expect(await counts.array()).toEqual([102]);
    expect(module.w.tensor).toBe(before);
    expect(pendingBuffers()).toContain(module.calls);
    expect(await module.calls.tensor.array()).toEqual([1]);
    module.calls.rollBack();
    functionalCall(module, {}, () => module.forward(tensor([1])));
    expect([module.calls.pending, pendingBuffers().includes(module.calls)]).toEqual([null, false]);
  });

  test("leaves the module as it was when the body throws, and when calls are nested", async () => {
    const module = new Times();
    const inner = functionalCall(module, { w: tensor([5]) }, () => {
      const failing = (): void => {
        throw new Error("body");
      };
      expect(() => functionalCall(module, { again: tensor([7]) }, failing)).toThrow("body");
      return module.w.tensor;
    });
    expect([await inner.array(), await module.w.tensor.array()]).toEqual([[5], [2]]);
  });

  test("refuses names that the module has not, and other shapes", () => {
    const module = new Times();
    const never = (): void => expect.fail("the body ran");
    expect(() => functionalCall(module, { v: tensor([1]) }, never)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: functionalCall: tensors must have names of w, calls, again, got v]`,
    );
    expect(() => functionalCall(module, { w: tensor([1, 2]) }, never)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: functionalCall: tensors must have the shapes of the module's, got w of shape [2] and the module's of shape [1]]`,
    );
  });
});
