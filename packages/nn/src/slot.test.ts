import { describe, expect, test } from "vitest";

import {
  add,
  grad,
  mul,
  ones,
  openDevice,
  realize,
  sum,
  takeAsLeaf,
  type Tensor,
  tensor,
  withDevice,
  zeros,
} from "@gridgrad/core";

import { Buffer, Parameter, pendingBuffers } from "./slot.ts";

/** A result whose values lie on the device. */
async function onDevice(values: number[]): Promise<Tensor> {
  const t = mul(tensor(values), 1);
  await realize(t);
  return t;
}

describe("a slot", () => {
  test("gives the tensor that was put in last", async () => {
    const p = new Parameter(tensor([1, 2]));
    p.set(tensor([3, 4]));
    expect(await p.tensor.array()).toEqual([3, 4]);
    expect([p.shape, p.size]).toEqual([[2], 2]);
  });

  test("frees the tensor that it replaces", () => {
    const device = openDevice("reference");
    return withDevice(device, async () => {
      const { memory } = device;
      const p = new Parameter(await onDevice([1, 2]));
      expect([memory.buffers, memory.bytes]).toEqual([1, 8]);
      const next = await onDevice([3, 4]);
      expect(memory.buffers).toBe(2);
      p.set(next);
      expect([memory.buffers, memory.bytes]).toEqual([1, 8]);
      p.set(tensor([5, 6]));
      expect([memory.buffers, memory.bytes]).toEqual([0, 0]);
    });
  });

  test("is not the caller's tensor: replacing it leaves that one alone", async () => {
    const mine = tensor([1]);
    const b = new Buffer(mine);
    b.set(tensor([2]));
    expect(await add(mine, 0).item()).toBe(1);
  });

  test("may be given its own tensor, which changes nothing", async () => {
    const p = new Parameter(await onDevice([1]));
    const recorded = add(p.tensor, 1);
    p.set(p.tensor);
    expect(await recorded.item()).toBe(2);
  });

  test("stops a graph that was recorded before a replacement and is realized after it", async () => {
    const p = new Parameter(tensor([1]));
    const recorded = mul(p.tensor, 2);
    p.set(tensor([5]));
    await expect(recorded.item()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: realize: a value that this graph needs is gone: it was in a parameter or buffer that has been replaced since this graph was recorded, by an optimiser's step or by loading; record the graph again from the new one]`,
    );
  });

  test("leaves readable what was read before a replacement", async () => {
    const p = new Parameter(await onDevice([1]));
    const before = p.tensor;
    const result = mul(before, 2);
    expect([await before.item(), await result.item()]).toEqual([1, 2]);
    p.set(tensor([5]));
    expect([await before.item(), await result.item()]).toEqual([1, 2]);
  });

  test("takes tensors of its shape, of its kind of type, and computed", async () => {
    const p = new Parameter(zeros([2]));
    expect(() => p.set(zeros([1, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: Slot.set: next must have the shape of the slot, got next of shape [1, 2] and the slot of shape [2]]`,
    );
    expect(() => p.set(zeros([2], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: Slot.set: the new tensor must be float32 or float64, as the old one is, got int32]`,
    );
    expect(() => new Buffer(zeros([], { dtype: "int32" })).set(zeros([]))).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: Slot.set: the new tensor must be int32, as the old one is, got float32]`,
    );
    expect(() => p.set(add(p.tensor, 1))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Slot.set: next must be computed already (await realize(t) computes), got a tensor that is not]`,
    );
    expect(() => new Parameter(add(zeros([2]), 1))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Slot: initial must be computed already (await realize(t) computes), got a tensor that is not]`,
    );
    expect(() => new Parameter(zeros([2], { dtype: "int32" }))).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: Parameter: a parameter must be float32 or float64, got int32]`,
    );
    expect(await p.tensor.array()).toEqual([0, 0]); // none of them has changed it
  });
});

describe("a parameter", () => {
  test("has a gradient while it is trainable, and none while it is frozen", async () => {
    const p = new Parameter(await onDevice([3]));
    const w = new Parameter(tensor([2]));
    const gradients = async (): Promise<(number | null)[]> => {
      sum(mul(p.tensor, w.tensor)).backward();
      const read = await Promise.all([p, w].map(async ({ tensor: t }) => (t.grad ? t.grad.item() : null)));
      for (const { tensor: t } of [p, w]) t.grad = null;
      return read;
    };
    expect(await gradients()).toEqual([2, 3]);
    p.trainable = false;
    expect(p.trainable).toBe(false);
    expect(await gradients()).toEqual([null, 3]);
    p.trainable = true;
    expect(await gradients()).toEqual([2, 3]);
  });

  test("stays frozen when its tensor is replaced", () => {
    const p = new Parameter(zeros([1]));
    p.trainable = false;
    p.set(ones([1]));
    expect(p.tensor.requiresGrad).toBe(false);
  });
});

describe("a buffer", () => {
  test("shows a recorded update at once, and keeps it after commit", async () => {
    const b = new Buffer(tensor([1]));
    b.update(add(b.tensor, 1), b.tensor);
    b.update(add(b.tensor, 10), b.tensor); // a second pass goes on from the first
    expect(pendingBuffers()).toContain(b);
    expect(await b.tensor.item()).toBe(12);
    b.commit();
    expect(b.pending).toBe(null);
    expect(pendingBuffers()).not.toContain(b);
    expect(await b.tensor.item()).toBe(12);
  });

  test("is its former self after a roll-back", async () => {
    const b = new Buffer(tensor([1]));
    b.update(add(b.tensor, 1), b.tensor);
    b.rollBack();
    b.commit();
    expect([b.pending, await b.tensor.item()]).toEqual([null, 1]);
  });

  test("commits nothing that is not computed", () => {
    const b = new Buffer(tensor([1]));
    b.update(add(b.tensor, 1), b.tensor);
    expect(() => b.commit()).toThrow(/^Slot\.set: next must be computed already/);
  });

  test("keeps the shape", () => {
    const b = new Buffer(tensor([1]));
    expect(() => b.update(zeros([2]), b.tensor)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: Buffer.update: next must have the shape of the slot, got next of shape [2] and the slot of shape [1]]`,
    );
    expect(b.pending).toBe(null);
  });

  test("drops an update that starts from a value which was replaced", async () => {
    const b = new Buffer(tensor([1]));
    b.update(add(b.tensor, 1), b.tensor);
    b.set(tensor([7]));
    expect([b.pending, await b.tensor.item()]).toEqual([null, 7]);
  });

  test.each([
    ["replaced", (p: Parameter) => p.set(tensor([9]))],
    ["frozen", (p: Parameter) => (p.trainable = false)],
  ])("drops an update that needs a parameter which is %s, as it can never be computed", async (_how, change) => {
    const p = new Parameter(await onDevice([2]));
    const b = new Buffer(tensor([1]));
    const other = new Buffer(tensor([1]));
    b.update(add(b.tensor, mul(p.tensor, 3)), p.tensor);
    other.update(add(other.tensor, 1), p.tensor);
    change(p);
    expect([b.pending, await b.tensor.item()]).toEqual([null, 1]);
    expect(await other.tensor.item()).toBe(2); // this one needs no parameter
    other.rollBack();
  });

  test("keeps an update that was computed before the parameter was replaced", async () => {
    const p = new Parameter(await onDevice([2]));
    const b = new Buffer(tensor([1]));
    b.update(add(b.tensor, p.tensor), p.tensor);
    await realize(b.tensor);
    p.set(tensor([9]));
    b.commit();
    expect(await b.tensor.item()).toBe(3);
  });

  test("has no gradient, even when it starts from a tensor that has one", () => {
    const b = new Buffer(tensor([1], [1], { requiresGrad: true }));
    expect(b.tensor.requiresGrad).toBe(false);
    const x = tensor([2]);
    expect(() => grad(sum(mul(b.tensor, 2)), [x])).toThrow(/must depend on wrt/);
  });

  test("is forgotten with its update when nobody holds it any more", async () => {
    const reference = (() => {
      const b = new Buffer(tensor([1]));
      b.update(add(b.tensor, 1), b.tensor);
      return new WeakRef(b);
    })();
    const registered = pendingBuffers().length; // this one among them, and what other tests have left
    for (let turn = 0; turn < 10 && reference.deref(); turn++) {
      await new Promise((resolve) => setTimeout(resolve)); // a reference that was read stays alive until the turn ends
      globalThis.gc!();
    }
    expect(reference.deref()).toBe(undefined);
    expect(pendingBuffers().length).toBeLessThan(registered);
  });
});

test("a tensor that was moved into a slot says so", async () => {
  const t = await onDevice([1]);
  const p = new Parameter(t);
  await expect(add(t, 1).item()).rejects.toThrowErrorMatchingInlineSnapshot(
    `[GraphError: realize: a value that this graph needs is gone: its values were moved into a parameter or buffer]`,
  );
  expect(await add(takeAsLeaf(p.tensor), 1).item()).toBe(2);
});
