import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type DeviceBuffer, ReferenceDevice } from "../device.ts";
import { tensor } from "../leaf.ts";
import type { Op, OpInfo } from "../op.ts";
import { exp } from "../ops/exp.ts";
import { mul } from "../ops/mul.ts";
import { sum } from "../ops/sum.ts";
import type { Tensor } from "../tensor.ts";
import { checkFinite } from "./checkFinite.ts";
import { finiteExceptions, keepsFinite } from "./finiteExceptions.ts";
import { place, type Placement, placements } from "./specialValues.ts";

/** The loops, with results of one op changed. */
class Wrong extends ReferenceDevice {
  readonly #op: string;
  readonly #change: (value: number, index: number, all: readonly number[]) => number;

  constructor(op: string, change: (value: number, index: number, all: readonly number[]) => number) {
    super();
    this.#op = op;
    this.#change = change;
  }

  override run(op: Op, inputs: readonly DeviceBuffer[], info: OpInfo): ReturnType<ReferenceDevice["run"]> {
    const y = super.run(op, inputs, info);
    if (op.name === this.#op) y.values.set(Array.from(y.values as Float32Array).map(this.#change));
    return y;
  }
}

const x = tensor([0.5, -1.25, 2, 1], [4], { dtype: "float64" });

const put = (value: number, at = 1, tensor = 0): Placement => ({ tensor, at, count: 1, value });
const square = (x: Tensor): Tensor => mul(x, x);

describe("checkFinite", () => {
  test("is content with the loops, whatever lies where", () =>
    fc.assert(fc.asyncProperty(placements(), (places) => checkFinite(new ReferenceDevice(), exp, [x], places))));

  test("takes a NaN for a NaN, whatever its bits", async () => {
    const negative = new Float32Array(new Uint32Array([0xffc00001]).buffer)[0];
    await checkFinite(new Wrong("exp", (value) => (Number.isNaN(value) ? negative : value)), exp, [x], [put(NaN)]);
  });

  test("does not look at the sign of a zero", async () => {
    await checkFinite(new Wrong("exp", (value) => (value === 0 ? -0 : value)), exp, [x], [put(-Infinity)]);
  });

  test("notices a NaN that becomes a number", async () => {
    const wrong = new Wrong("exp", (value) => (Number.isNaN(value) ? 0 : value));
    await expect(checkFinite(wrong, exp, [x], [put(NaN)])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: checkFinite: y[1] on reference must be NaN, as on the loops, got 0 with 1 x NaN from element 1 of tensor 0]`,
    );
  });

  test("notices a NaN that spreads to its neighbour", async () => {
    const wrong = new Wrong("exp", (value, i, all) => value + 0 * all[Math.max(0, i - 1)]);
    await expect(checkFinite(wrong, exp, [x], [put(NaN)])).rejects.toThrow(
      /^checkFinite: y\[2\] on reference must be 7.389/,
    );
  });

  test.each([
    ["becomes NaN", NaN],
    ["changes its sign", -Infinity],
    ["becomes the largest number", 3.4028234663852886e38],
  ])("notices an infinity that %s", async (_, wrong) => {
    const device = new Wrong("exp", (value) => (value === Infinity ? wrong : value));
    await expect(checkFinite(device, exp, [x], [put(Infinity)])).rejects.toThrow(/^checkFinite: y\[1\] on reference/);
  });

  test("notices numbers that are wrong where others are not finite", async () => {
    const device = new Wrong("exp", (value, _, all) => (all.some(Number.isNaN) ? value * 1.001 : value));
    await checkFinite(device, exp, [x], []);
    await expect(checkFinite(device, exp, [x], [put(NaN)])).rejects.toThrow(/^checkFinite: y\[0\] on reference/);
  });

  test("looks at gradients, and puts special values into the one that comes in", async () => {
    const device = new Wrong("mul", (value) => (value === Infinity ? 0 : value));
    await expect(checkFinite(device, exp, [x], [put(Infinity, 2, 1)])).rejects.toThrow(/^checkFinite: dx0\[2\]/);
  });

  test("takes integers along as they are", async () => {
    const n = tensor([1, 2, 3, 4], [4], { dtype: "int32" });
    const f = (n: Tensor, x: Tensor): Tensor => mul(square(x), n.cast(x.dtype));
    await checkFinite(new ReferenceDevice(), f, [n, x], [put(NaN)]);
    const device = new Wrong("sum", (value) => (Number.isNaN(value) ? 0 : value));
    await expect(checkFinite(device, (...xs) => sum(f(xs[0], xs[1])), [n, x], [put(NaN)])).rejects.toThrow(/ y\[0\] /);
  });
});

describe("special values", () => {
  test("lie in the tensor that a placement names, from an element on, and turn over at the end", () => {
    const zeros = tensor([0, 0, 0, 0]);
    const places = [
      { tensor: 5, at: 7, count: 2, value: Infinity },
      { tensor: 0, at: 0, count: 1, value: NaN },
    ];
    expect(place(zeros, 1, 2, places).values).toEqual(new Float32Array([Infinity, 0, 0, Infinity]));
    expect(place(zeros, 0, 2, places).values).toEqual(new Float32Array([NaN, 0, 0, 0]));
    expect(zeros.values).toEqual(new Float32Array(4));
  });

  test("leave an empty tensor as it is", () => {
    expect(place(tensor([]), 0, 1, [put(NaN)]).shape).toEqual([0]);
  });
});

describe("exceptions", () => {
  test("let a device off only where they name it", () => {
    expect(["cpu", "gpu:cpu", "gpu:webasm"].map(keepsFinite)).toEqual([true, true, true]);
    expect(keepsFinite("gpu:webgpu")).toBe(false);
    expect(finiteExceptions.every(({ devices, ops }) => devices.length > 0 && ops.length > 0)).toBe(true);
  });
});
