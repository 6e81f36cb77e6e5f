import { describe, expect, test } from "vitest";

import { getDevice } from "../device.ts";
import type { Op } from "../op.ts";
import { abs } from "../ops/abs.ts";
import { mul } from "../ops/mul.ts";
import { apply } from "../apply.ts";
import { ones, tensor } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { checkGradients, compareGradients, dot } from "./checkGradients.ts";
import { gradientTolerance } from "./tolerance.ts";

function float64(values: number[]): Tensor {
  return tensor(values, [values.length], { dtype: "float64" });
}

/** x², with `slope(x)` for its gradient. */
function square(slope: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  const op: Op = {
    name: "square",
    shape: ([x]) => x,
    dtype: "float",
    vjp: (dy, [x]) => [mul(dy, slope(x))],
    loops(y, [x]) {
      for (let i = 0; i < y.length; i++) y[i] = x[i] * x[i];
    },
  };
  return (x) => apply(op, [x], {});
}

const x = float64([0.75, -1.5, 0.25]);

describe("checkGradients", () => {
  test("passes a right gradient and reports what it compared", async () => {
    const checks = await checkGradients(
      square((x) => x.mul(2)),
      [x],
      { order: 2 },
    );
    expect(checks.map(({ order, input }) => ({ order, input }))).toEqual([
      { order: 1, input: 0 },
      { order: 2, input: 0 },
    ]);
    for (const { autograd, differences, error } of checks) {
      expect(error).toBeLessThan(gradientTolerance);
      expect(autograd).not.toBe(0);
      expect(autograd).toBeCloseTo(differences, 6);
    }
  });

  test("catches 2.001 for 2 at first order", async () => {
    const wrong = square((x) => x.mul(2.001));
    await expect(checkGradients(wrong, [x])).rejects.toThrow(
      /^gradient of input 0, order 1: autograd says .+, finite differences say .+ \(error .+ > 0.000001\)$/,
    );
  });

  test("catches a factor that is wrong by ten times the tolerance, and passes one that is wrong by a tenth", async () => {
    await expect(checkGradients(square((x) => x.mul(2 * (1 + 10 * gradientTolerance))), [ones([1], { dtype: "float64" })])).rejects.toThrow("order 1"); // prettier-ignore
    await checkGradients(square((x) => x.mul(2 * (1 + gradientTolerance / 10))), [ones([1], { dtype: "float64" })]); // prettier-ignore
  });

  test("catches a gradient that is right but whose own gradient is wrong at second order", async () => {
    /** 2x, with 3 for its gradient. */
    const doubleOp: Op = {
      name: "double",
      shape: ([x]) => x,
      dtype: "float",
      vjp: (dy) => [dy.mul(3)],
      loops(y, [x]) {
        for (let i = 0; i < y.length; i++) y[i] = 2 * x[i];
      },
    };
    const wrong = square((x) => apply(doubleOp, [x], {}));
    await checkGradients(wrong, [x]);
    await expect(checkGradients(wrong, [x], { order: 2 })).rejects.toThrow("gradient of input 0, order 2");
  });

  test("catches a gradient that does not depend on dy as it should", async () => {
    const op: Op = {
      name: "stubborn",
      shape: ([x]) => x,
      dtype: "float",
      vjp: (dy) => [dy.mul(0).add(1)], // right for dy = 1 only
      loops: (y, [x]) => y.set(x),
    };
    await expect(checkGradients((x) => apply(op, [x], {}), [x])).rejects.toThrow("order 1");
  });

  test("catches one wrong input of several, and names it", async () => {
    const op: Op = {
      name: "product",
      shape: ([a]) => a,
      dtype: "float",
      vjp: (dy, [, b]) => [mul(dy, b), mul(dy, b)],
      loops(y, [a, b]) {
        for (let i = 0; i < y.length; i++) y[i] = a[i] * b[i];
      },
    };
    const product = (a: Tensor, b: Tensor): Tensor => apply(op, [a, b], {});
    const inputs = [x, float64([0.5, 2, -1])];
    await expect(checkGradients(product, inputs)).rejects.toThrow("gradient of input 1, order 1");
    expect(await checkGradients(product, inputs, { wrt: [0] })).toHaveLength(1);
  });

  test("catches a missing gradient", async () => {
    const op: Op = {
      name: "cut",
      shape: ([x]) => x,
      dtype: "float",
      vjp: () => [null],
      loops: (y, [x]) => y.set(x),
    };
    await expect(checkGradients((x) => apply(op, [x], {}), [x])).rejects.toThrow("autograd says 0,");
  });

  test("catches NaN", async () => {
    const wrong = square((x) => x.mul(NaN));
    await expect(checkGradients(wrong, [x])).rejects.toThrow("autograd says NaN");
  });

  test("catches a kink between the two evaluations", async () => {
    await expect(checkGradients(abs, [float64([1e-6])])).rejects.toThrow("order 1");
  });

  test("passes int32 inputs through and leaves them alone", async () => {
    const mask = tensor([1, 0, 1], [3], { dtype: "int32" });
    const checks = await checkGradients((mask, x) => mul(x, mask.cast("float64")), [mask, x]);
    expect(checks.map(({ input }) => input)).toEqual([1]);
  });

  test("uses other directions for other seeds, and the same for the same", async () => {
    const right = square((x) => x.mul(2));
    const slope = async (seed: number): Promise<number> => (await compareGradients(right, [x], { seed }))[0].autograd;
    expect(await slope(1)).toBe(await slope(1));
    expect(await slope(1)).not.toBe(await slope(2));
  });

  test("runs on a device of its own", async () => {
    const before = getDevice();
    const { peakBuffers } = before.memory;
    await checkGradients((x) => x.mul(x), [x]);
    expect(getDevice()).toBe(before);
    expect(before.memory.peakBuffers).toBe(peakBuffers);
  });

  test("refuses float32, which has too few digits", async () => {
    await expect(checkGradients(abs, [tensor([1])])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: checkGradients: inputs must be float64, got float32; use x.cast("float64")]`,
    );
  });

  test("refuses to check nothing", async () => {
    const labels = tensor([1], [1], { dtype: "int32" });
    await expect(checkGradients((x) => x, [labels])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: checkGradients: at least one input must be floating and in wrt, got none]`,
    );
    await expect(checkGradients((x) => x, [x], { wrt: [] })).rejects.toThrow("at least one");
    const none = tensor([], [0], { dtype: "float64" });
    await expect(checkGradients((x) => x.mul(2), [none])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: checkGradients: inputs and output must have elements, got none]`,
    );
    await expect(checkGradients((x) => x.slice([[0, 0]]), [x])).rejects.toThrow("must have elements, got none");
  });
});

describe("dot", () => {
  test("adds up products in float64", () => {
    expect(dot([1, 2, 3], [10, 20, 30])).toBe(140);
    expect(dot(new Float32Array([2 ** 30, 1]), [1, 1])).toBe(2 ** 30 + 1);
  });

  test("refuses sides of different lengths", () => {
    expect(() => dot([1], [1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[Error: dot: both sides must have as many elements, got 1 and 2]`,
    );
  });
});
