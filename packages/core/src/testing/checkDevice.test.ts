import { describe, expect, test } from "vitest";

import { apply } from "../apply.ts";
import { type Device, type DeviceBuffer, ReferenceDevice } from "../device.ts";
import { tensor } from "../leaf.ts";
import type { Op, OpInfo } from "../op.ts";
import { exp } from "../ops/exp.ts";
import { mul } from "../ops/mul.ts";
import { sum } from "../ops/sum.ts";
import type { Tensor } from "../tensor.ts";
import { checkDevice } from "./checkDevice.ts";

/** The loops, with every result of one op multiplied. */
class Wrong extends ReferenceDevice {
  readonly #op: string;
  readonly #factor: number;

  constructor(op: string, factor: number) {
    super();
    this.#op = op;
    this.#factor = factor;
  }

  override run(op: Op, inputs: readonly DeviceBuffer[], info: OpInfo): ReturnType<ReferenceDevice["run"]> {
    const y = super.run(op, inputs, info);
    if (op.name === this.#op) for (let i = 0; i < y.values.length; i++) y.values[i] *= this.#factor;
    return y;
  }
}

const x = tensor([0.5, -1.25, 2], [3], { dtype: "float64" });
const check = (device: Device, f: (x: Tensor) => Tensor = exp): Promise<void> => checkDevice(device, f, [x]);

describe("checkDevice", () => {
  test("is content with the loops, which round to float32", async () => {
    await check(new ReferenceDevice());
  });

  test.each([1.001, 0.999, NaN])("notices a value that is %d times too large", async (factor) => {
    await expect(check(new Wrong("exp", factor))).rejects.toThrow(/^checkDevice: y\[\d\] on reference must be /);
  });

  test("notices a gradient that is wrong where the value is right", async () => {
    await expect(check(new Wrong("squareInput", 1.001), square)).rejects.toThrow(/^checkDevice: dx0\[\d\]/);
  });

  test("notices a gradient of second order that is wrong where the first one is right", async () => {
    const f = (x: Tensor) => square(square(x));
    await expect(check(new Wrong("squareInputInput", 1.01), f)).rejects.toThrow(/^checkDevice: ddx0\[\d\]/);
  });

  test("notices anything but an infinity in its place, and what is wrong beside one", async () => {
    const beside = tensor([1000, 1, 2], [3], { dtype: "float64" }); // exp(1000) is infinite
    const f = (x: Parameters<typeof exp>[0]) => apply(product("steep", Math.exp, null), [x], {}); // without a gradient
    await checkDevice(new ReferenceDevice(), f, [beside]);
    await expect(checkDevice(new Wrong("steep", 0.5), f, [beside])).rejects.toThrow(/^checkDevice: y\[1\]/);
    await expect(checkDevice(new Wrong("steep", -1), f, [beside])).rejects.toThrow(/^checkDevice: y\[0\]/);
    await expect(checkDevice(new Wrong("steep", 0), f, [beside])).rejects.toThrow(/^checkDevice: y\[0\] .* got NaN/);
  });

  test("fails where there is nothing to compare", async () => {
    const nothing = tensor([], [0], { dtype: "float64" });
    await expect(checkDevice(new Wrong("exp", 7), exp, [nothing])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: checkDevice: f must have elements, got none]`,
    );
  });

  test("takes integers along as they are", async () => {
    const labels = tensor([1, 2, 3], [3], { dtype: "int32" });
    await checkDevice(new ReferenceDevice(), (x, n) => sum(mul(x, n.cast(x.dtype))), [x, labels]);
  });
});

/** x², whose gradients of both orders are ops of their own, so that each can be wrong alone. */
function square(x: Parameters<typeof exp>[0]): Parameters<typeof exp>[0] {
  return apply(
    product(
      "square",
      (a) => a * a,
      (a) => apply(squareInputOp, [a], {}),
    ),
    [x],
    {},
  );
}

const squareInputOp = product(
  "squareInput",
  (a) => 2 * a,
  (a) => apply(squareInputInputOp, [a], {}),
);
const squareInputInputOp = product("squareInputInput", () => 2, null);

function product(
  name: string,
  loop: (a: number) => number,
  slope: ((x: Parameters<typeof exp>[0]) => Parameters<typeof exp>[0]) | null,
): Op {
  return {
    name,
    shape: ([x]) => x,
    dtype: "float",
    vjp: (dy, [x]) => [slope ? mul(dy, slope(x)) : null],
    loops(y, [x]) {
      for (let i = 0; i < y.length; i++) y[i] = loop(x[i]);
    },
  };
}
