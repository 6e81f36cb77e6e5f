import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";

import { backward, grad, gradientsOf } from "./autograd.ts";
import { explain } from "./explain.ts";
import { dependencies } from "./graph.ts";
import type { Op } from "./op.ts";
import { mulOp } from "./ops/mul.ts";
import { apply } from "./apply.ts";
import { ones, tensor, zeros } from "./leaf.ts";
import type { Tensor } from "./tensor.ts";
import { integers, reals, shapes } from "./testing/arbitraries.ts";
import { checkGradients } from "./testing/checkGradients.ts";

/** Names of the ops that the graph of `targets` runs, in order. */
function opsOf(...targets: Tensor[]): string[] {
  return explain(...targets).steps.map((step) => step.op);
}

/** Names of all the ops behind `root`, also of those that nobody asked for. */
function recorded(root: Tensor): string[] {
  return dependencies([root]).flatMap((t) => (t.recipe ? [t.recipe.op.name] : []));
}

describe("grad", () => {
  test("differentiates sums of products", async () => {
    const [x, y] = [tensor([1, 2]), tensor([3, 4])];
    const [dx, dy] = grad(x.mul(y).add(x.mul(x)).sum(), [x, y]);
    expect(await dx.array()).toEqual([3 + 2, 4 + 4]);
    expect(await dy.array()).toEqual([1, 2]);
  });

  test("computes nothing by itself", () => {
    const x = tensor([1, 2]);
    const [dx] = grad(x.mul(x).sum(), [x]);
    expect(dx).toMatchObject({ values: null, held: null });
  });

  test("adds up what reaches a tensor along several paths", async () => {
    const x = tensor(3);
    const y = x.mul(2);
    const [dx] = grad(y.add(y).add(y.mul(x)).add(x), [x]); // 2y + xy + x = 2x² + 5x
    expect(await dx.item()).toBe(4 * 3 + 5);
  });

  test("agrees with finite differences on random polynomials of two tensors", () =>
    fc.assert(
      fc.asyncProperty(
        shapes({ maxRank: 2 }).chain((shape) => fc.tuple(reals(shape), reals(shape))),
        fc.array(fc.constantFrom("add", "sub", "mul"), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { minLength: 10, maxLength: 10 }),
        async (xs, steps, picks) => {
          const f = (...at: Tensor[]): Tensor => {
            const pool = [...at];
            steps.forEach((op, k) => {
              const [a, b] = [picks[2 * k], picks[2 * k + 1]].map((pick) => pool[pick % pool.length]);
              pool.push(a[op](b).mul(0.5));
            });
            return pool[pool.length - 1];
          };
          await checkGradients(f, xs, { order: 2 });
        },
      ),
      { numRuns: 50 },
    ));

  test("differentiates by an intermediate result", async () => {
    const x = tensor([1, 2]);
    const y = x.mul(3);
    const [dy] = grad(y.mul(y).sum(), [y]);
    expect(await dy.array()).toEqual([6, 12]);
  });

  test("differentiates by an intermediate and a leaf at once, each as if the other were fixed or not as the graph says", async () => {
    const x = tensor(2);
    const y = x.mul(x);
    const [dx, dy] = grad(y.mul(x), [x, y]); // y x, where y depends on x
    expect([await dx.item(), await dy.item()]).toEqual([12, 2]);
  });

  test("gives 1 for the loss itself", async () => {
    const x = tensor(2);
    const y = x.mul(x);
    const [dy, dx] = grad(y, [y, x]);
    expect([await dy.item(), await dx.item()]).toEqual([1, 4]);
    const [dx2] = grad(x, [x]);
    expect(await dx2.item()).toBe(1);
  });

  test("gives the same tensor for an entry that is asked for twice", () => {
    const x = tensor(2);
    const [a, b] = grad(x.mul(x), [x, x]);
    expect(a).toBe(b);
  });

  test("weighs a loss of any shape with gradOutput", async () => {
    const x = tensor([1, 2, 3]);
    const [dx] = grad(x.mul(x), [x], { gradOutput: tensor([1, 10, 100]) });
    expect(await dx.array()).toEqual([2, 40, 600]);
  });

  test("is linear in gradOutput", () =>
    fc.assert(
      fc.asyncProperty(
        shapes({ maxRank: 2 }).chain((shape) => fc.tuple(integers(shape), integers(shape), integers(shape))),
        async ([x, u, v]) => {
          const gradient = (w: Tensor): Tensor => grad(x.mul(x).add(x), [x], { gradOutput: w })[0];
          expect(await gradient(u.add(v)).array()).toEqual(await gradient(u).add(gradient(v)).array());
        },
      ),
    ));

  test("takes third derivatives", async () => {
    const x = tensor([1, 2, -3], [3], { dtype: "float64" });
    const nth = (y: Tensor): Tensor => grad(y.sum(), [x])[0];
    const y = x.pow(4);
    const [first, second, third, fourth] = [nth(y), nth(nth(y)), nth(nth(nth(y))), nth(nth(nth(nth(y))))];
    expect(await first.array()).toEqual([4, 32, -108]);
    expect(await second.array()).toEqual([12, 48, 108]);
    expect(await third.array()).toEqual([24, 48, -72]);
    expect(await fourth.array()).toEqual([24, 24, 24]);
  });

  test("goes through a chain of 20,000 ops", async () => {
    const x = tensor(1);
    let y = x;
    for (let i = 0; i < 20_000; i++) y = y.neg();
    const [dx] = grad(y, [x]);
    expect(await dx.item()).toBe(1);
  });

  test("works after a tracked result was read", async () => {
    const w = tensor([3], [1], { requiresGrad: true });
    const y = w.mul(w);
    await y.data();
    const [dw] = grad(y.sum(), [w]);
    expect(await dw.array()).toEqual([6]);
  });

  test("works after the leaf was read", async () => {
    const x = tensor([3]);
    await x.data();
    const [dx] = grad(x.mul(x).sum(), [x]);
    await x.data();
    expect(await dx.array()).toEqual([6]);
  });

  test("gives gradients of the type of the tensor, also through a cast", async () => {
    const x = tensor([0.5], [1], { dtype: "float64" });
    const [dx] = grad(x.cast("float32").mul(3).sum(), [x]);
    expect(await dx.data()).toEqual(new Float64Array([3]));
  });
});

describe("the recorded graph", () => {
  test("holds only paths that reach wrt", () => {
    const [x, w, b] = [ones([2, 3]), ones([3, 4]), ones([4])];
    const hidden = x.matmul(w);
    const loss = hidden.add(b).tanh().sum();
    const [db] = grad(loss, [b]);
    expect(opsOf(db).filter((name) => name === "matmul")).toHaveLength(1); // the forward pass
    const [dw] = grad(loss, [w]);
    expect(opsOf(dw).filter((name) => name === "matmul")).toHaveLength(2); // no gradient of x
  });

  test("does not ask ops beside the path for their gradient", () => {
    const vjp = vi.spyOn(mulOp, "vjp");
    const [x, y] = [tensor(2), tensor(3)];
    const beside = y.mul(y).mul(y);
    grad(x.add(1).neg().add(beside), [x]);
    expect(vjp).not.toHaveBeenCalled();
    grad(x.mul(3).add(beside), [x]);
    expect(vjp).toHaveBeenCalledTimes(1);
    vjp.mockRestore();
  });

  test("runs forward ops once when the loss and its gradients are asked for together", () => {
    const x = ones([2]);
    const y = x.exp();
    const loss = y.mul(y).sum();
    expect(opsOf(loss, ...grad(loss, [x])).filter((name) => name === "exp")).toHaveLength(1);
  });

  test("of a gradient does not lead through what wrt was computed from", () => {
    const x = ones([2]);
    const y = x.exp();
    const [dy] = grad(y.mul(2).sum(), [y]);
    expect(recorded(dy)).not.toContain("exp");
  });

  test("stops where an op has no gradient", () => {
    const x = tensor([1, 2]);
    const y = x.cast("int32").cast("float32");
    expect(gradientsOf(y.sum(), [x])).toEqual([null]);
  });
});

describe("an unused tensor", () => {
  const [x, y] = [tensor([1, 2]), tensor([[3]])];

  test("gets zeros of its shape and type with allowUnused", async () => {
    const labels = zeros([2], { dtype: "int32" });
    const double = zeros([2], { dtype: "float64" });
    const options = { allowUnused: true };
    const [dx, dy, dLabels, dDouble] = grad(x.mul(x).sum(), [x, y, labels, double], options);
    expect(await dx.array()).toEqual([2, 4]);
    expect(await dy.array()).toEqual([[0]]);
    expect(dLabels).toMatchObject({ dtype: "float32", shape: [2] });
    expect(dDouble).toMatchObject({ dtype: "float64", shape: [2] });
  });

  test("is null for gradientsOf", () => {
    expect(gradientsOf(x.sum(), [y])).toEqual([null]);
  });

  test("is an error otherwise, which says what may have happened", () => {
    expect(() => grad(x.sum(), [x, y])).toThrowErrorMatchingInlineSnapshot(
      `[GraphError: grad: loss must depend on wrt[1] (shape [1, 1]), got no path with a gradient between them. A result that was read or realized forgets how it was made: ask for the gradient before that, or make the leaf with requiresGrad. { allowUnused: true } gives zeros instead.]`,
    );
  });

  test("is what a leaf becomes when an untracked result was read before", async () => {
    const z = x.mul(x);
    await z.data();
    expect(() => grad(z.sum(), [x])).toThrow("forgets how it was made");
  });
});

describe("backward", () => {
  test("fills grad of leaves with requiresGrad, and of nothing else", async () => {
    const w = tensor([1, 2], [2], { requiresGrad: true });
    const x = tensor([3, 4]);
    const y = w.mul(x);
    y.sum().backward();
    expect(await w.grad!.array()).toEqual([3, 4]);
    expect([x.grad, y.grad]).toEqual([null, null]);
  });

  test("adds to what is there", async () => {
    const w = tensor([1], [1], { requiresGrad: true });
    w.mul(2).sum().backward();
    w.mul(w).sum().backward();
    expect(await w.grad!.array()).toEqual([4]);
    w.grad = null;
    w.mul(5).sum().backward();
    expect(await w.grad!.array()).toEqual([5]);
  });

  test("gives zeros to a leaf whose every path ends in an op without gradient", async () => {
    const w = tensor([1.5], [1], { requiresGrad: true });
    w.cast("int32").cast("float32").sum().backward();
    expect(await w.grad!.array()).toEqual([0]);
  });

  test("works after the loss was read", async () => {
    const w = tensor([3], [1], { requiresGrad: true });
    const loss = w.mul(w).sum();
    expect(await loss.item()).toBe(9);
    loss.backward();
    expect(await w.grad!.array()).toEqual([6]);
  });

  test("gives gradients that can be differentiated again", async () => {
    const w = tensor([3], [1], { requiresGrad: true });
    w.mul(w).mul(w).sum().backward();
    const [second] = grad(w.grad!.sum(), [w]);
    expect(await second.array()).toEqual([18]);
  });

  test("needs a scalar", () => {
    const w = ones([2], { requiresGrad: true });
    expect(() => w.mul(2).backward()).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: grad: loss must be a scalar (sum it, or give gradOutput), got loss of shape [2]]`,
    );
  });

  test("needs a leaf with requiresGrad", () => {
    expect(() => backward(ones([2]).sum())).toThrowErrorMatchingInlineSnapshot(
      `[GraphError: backward: loss must depend on a tensor made with { requiresGrad: true }, got none]`,
    );
  });
});

describe("errors of grad", () => {
  test("a loss that is no scalar", () => {
    const x = ones([2]);
    expect(() => grad(x.mul(2), [x])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: grad: loss must be a scalar (sum it, or give gradOutput), got loss of shape [2]]`,
    );
  });

  test("a gradOutput of another shape", () => {
    const x = ones([2]);
    expect(() => grad(x.mul(2), [x], { gradOutput: ones([3]) })).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: grad: gradOutput must have the shape of loss, got gradOutput of shape [3] and loss of shape [2]]`,
    );
  });

  test("a gradOutput of another element type", () => {
    const x = ones([2]);
    const gradOutput = ones([2], { dtype: "float64" });
    expect(() => grad(x.add(2), [x], { gradOutput })).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: grad: gradOutput must be float32 as loss is (cast converts), got float64]`,
    );
  });

  test("a loss that is int32, which has no gradient", () => {
    const x = ones([2], { dtype: "int32" });
    expect(() => grad(x.sum(), [x])).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: grad: loss must be floating, got int32]`,
    );
  });

  test("an op of ours whose gradient has the wrong shape", () => {
    const wrongOp: Op = {
      name: "wrong",
      shape: ([x]) => x,
      dtype: "float",
      vjp: (dy) => [dy.sum()],
      loops: (y, [x]) => y.set(x),
    };
    const x = ones([2]);
    expect(() => grad(apply(wrongOp, [x], {}).sum(), [x])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: wrong.vjp: gradient 0 must have the shape of input 0, [2], got a gradient of shape []]`,
    );
  });
});
