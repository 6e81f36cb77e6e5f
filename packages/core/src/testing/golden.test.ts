import { describe, expect, test } from "vitest";

import type { Op } from "../op.ts";
import { mul } from "../ops/mul.ts";
import { encodeSafetensors } from "../safetensors.ts";
import { apply } from "../apply.ts";
import { tensor } from "../leaf.ts";
import type { Tensor } from "../tensor.ts";
import { checkGolden, type GoldenResult, type GoldenRun, parseGolden } from "./golden.ts";
import { smallGolden } from "./smallGolden.ts";

const rounded = "pytorch cpu float64, cast to float32";

/** Compares a file that says `reference` with a run that gives `x` itself. */
async function compare(
  got: number[],
  reference: number[],
  limits: { atol?: number; rtol?: number } = {},
): Promise<GoldenResult> {
  const golden = parseGolden(smallGolden({ x: got, out: reference, ...limits }));
  return (await checkGolden(golden, ({ x }) => x.mul(1), "float64"))[0];
}

const double: GoldenRun = ({ x }, attrs) => mul(x, attrs.number("scale"));

describe("checkGolden", () => {
  test("passes outputs and gradients that are equal, in both types", async () => {
    const golden = parseGolden(smallGolden({ out: [2, 4], grad: [2, 2], attrs: { scale: 2 } }));
    for (const dtype of ["float32", "float64"] as const) {
      expect(await checkGolden(golden, double, dtype)).toEqual([
        { name: "out", ratio: 0, error: 0, limit: 0, ok: true },
        { name: "grad.x", ratio: 0, error: 0, limit: 0, ok: true },
      ]);
    }
  });

  test("passes an error just below the limit and catches one just above it", async () => {
    expect(await compare([1 + 0.999e-3], [1], { atol: 1e-3 })).toMatchObject({ ok: true, limit: 1e-3 });
    expect(await compare([1 + 1.001e-3], [1], { atol: 1e-3 })).toMatchObject({ ok: false, limit: 1e-3 });
    expect(await compare([1 - 1.001e-3], [1], { atol: 1e-3 })).toMatchObject({ ok: false });
    expect(await compare([100 + 0.0999], [100], { rtol: 1e-3 })).toMatchObject({ ok: true });
    expect(await compare([100 + 0.1001], [100], { rtol: 1e-3 })).toMatchObject({ ok: false });
    expect(await compare([-100 - 0.1009], [-100], { rtol: 1e-3, atol: 1e-3 })).toMatchObject({ ok: true });
    expect(await compare([-100 - 0.1011], [-100], { rtol: 1e-3, atol: 1e-3 })).toMatchObject({ ok: false });
  });

  test("measures the worst element in units of its limit", async () => {
    const result = await compare([1.5, 100.5], [1, 100], { atol: 1, rtol: 0.01 });
    expect(result).toMatchObject({ name: "out", ok: true, error: 0.5, limit: 1.01 });
    expect(result.ratio).toBeCloseTo(0.5 / 1.01, 12);
  });

  test("catches one wrong element among many", async () => {
    const reference = Array.from({ length: 1000 }, (_, i) => i);
    expect(await compare(reference.with(777, 776), reference, { rtol: 1e-5 })).toMatchObject({ ok: false, error: 1 });
  });

  test("takes tolerance 0 to the letter, except that 0 equals -0", async () => {
    expect(await compare([1 + 2 ** -52], [1])).toMatchObject({ ok: false });
    expect(await compare([-0], [0])).toMatchObject({ ok: true });
  });

  test.each([
    ["NaN for a number", [NaN], [1]],
    ["a number for NaN", [1], [NaN]],
    ["an infinity for a number", [Infinity], [1]],
    ["a number for an infinity", [1], [Infinity]],
    ["the largest number for an infinity", [Number.MAX_VALUE], [Infinity]],
    ["an infinity of the wrong sign", [-Infinity], [Infinity]],
    ["NaN for an infinity", [NaN], [-Infinity]],
    ["NaN beside a larger error", [NaN, 1e9], [1, 1]],
    ["an infinity beside a right one", [Infinity, 5], [Infinity, Infinity]],
  ])("catches %s, with and without a relative tolerance", async (_, got, reference) => {
    for (const rtol of [0, 1e-5]) {
      expect(await compare(got, reference, { atol: 1, rtol })).toMatchObject({ ok: false, ratio: Infinity });
    }
  });

  test("takes NaN for NaN and an infinity for itself", async () => {
    expect(await compare([NaN, Infinity, -Infinity], [NaN, Infinity, -Infinity])).toMatchObject({ ok: true, ratio: 0 });
  });

  test("catches a wrong gradient behind a right output", async () => {
    const op: Op = {
      name: "wrong",
      shape: ([x]) => x,
      dtype: "float",
      vjp: (dy) => [dy.mul(2.001)],
      loops(y, [x]) {
        for (let i = 0; i < y.length; i++) y[i] = 2 * x[i];
      },
    };
    const golden = parseGolden(smallGolden({ out: [2, 4], grad: [2, 2], rtol: 1e-5 }));
    const results = await checkGolden(golden, ({ x }) => apply(op, [x], {}), "float32");
    expect(results.map(({ name, ok }) => ({ name, ok }))).toEqual([
      { name: "out", ok: true },
      { name: "grad.x", ok: false },
    ]);
  });

  test("holds float64 to rounded results more tightly than the file does", async () => {
    const golden = parseGolden(smallGolden({ out: [2, 4], atol: 1e-3, dtype: "F32", truth: rounded }));
    const double: GoldenRun = ({ x }) => x.mul(2);
    const nearly: GoldenRun = ({ x }) => x.mul(2 + 1e-5);
    expect((await checkGolden(golden, nearly, "float32"))[0].ok).toBe(true);
    expect((await checkGolden(golden, nearly, "float64"))[0].ok).toBe(false);
    expect((await checkGolden(golden, double, "float64"))[0].ok).toBe(true);
    const ownWords = parseGolden(smallGolden({ out: [2, 4], atol: 1e-3, dtype: "F32", truth: "something else" }));
    expect((await checkGolden(ownWords, nearly, "float64"))[0].ok).toBe(true);
  });

  test("gives inputs in the type that is asked for, and class indices as int32", async () => {
    const bytes = encodeSafetensors(
      {
        target: { dtype: "I64", shape: [2], values: new BigInt64Array([0n, 3n]) },
        x: { dtype: "F32", shape: [2], values: new Float32Array([1, 2]) },
        out: { dtype: "F32", shape: [2], values: new Float32Array([1, 2]) },
      },
      {
        format: "golden-1",
        op: "test",
        attrs: "{}",
        roles: JSON.stringify({ target: "input", x: "input", out: "output" }),
        tolerance: JSON.stringify({ out: { atol: 0, rtol: 0 } }),
      },
    );
    const seen: string[] = [];
    const run: GoldenRun = (inputs) => {
      seen.push(...Object.entries(inputs).map(([name, t]) => `${name} ${t.dtype}`));
      return inputs.x;
    };
    for (const dtype of ["float32", "float64"] as const) await checkGolden(parseGolden(bytes), run, dtype);
    expect(seen.sort()).toEqual(["target int32", "target int32", "x float32", "x float64"]);
  });

  test("waits for a run that is asynchronous and takes outputs by their names", async () => {
    const golden = parseGolden(smallGolden({ out: [2, 4], grad: [2, 2] }));
    const run = async (inputs: Readonly<Record<string, Tensor>>) => ({ out: inputs.x.mul(2) });
    expect((await checkGolden(golden, run, "float32")).every(({ ok }) => ok)).toBe(true);
  });

  test("fails when an output is missing", async () => {
    const run: GoldenRun = ({ x }) => ({ y: x, z: x });
    const withoutGradient = parseGolden(smallGolden({ out: [1, 2] }));
    await expect(checkGolden(withoutGradient, run, "float32")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: golden: the run must give the output out, got y, z]`,
    );
    const withGradient = parseGolden(smallGolden({ out: [1, 2], grad: [1, 1] }));
    await expect(checkGolden(withGradient, run, "float32")).rejects.toThrow(
      "the run must give the output out, got y, z",
    );
  });

  test("fails when an output has another shape, also one of as many elements", async () => {
    const golden = parseGolden(smallGolden({ out: [1, 2] }));
    const run: GoldenRun = ({ x }) => x.reshape([2, 1]);
    await expect(checkGolden(golden, run, "float32")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: golden: out must have shape [2], got [2, 1]]`,
    );
    const scalar: GoldenRun = ({ x }) => x.sum();
    await expect(checkGolden(golden, scalar, "float32")).rejects.toThrow("must have shape [2], got []");
    const withGradient = parseGolden(smallGolden({ out: [1, 2], grad: [1, 1], outShape: [1, 2] }));
    await expect(checkGolden(withGradient, ({ x }) => x, "float32")).rejects.toThrow("must have shape [1, 2], got [2]");
  });

  test.each([
    ["NaN", { atol: NaN, rtol: 0 }],
    ["negative", { atol: -1, rtol: -1 }],
    ["infinite", { atol: Infinity, rtol: 0 }],
    ["infinite for this element", { atol: 0, rtol: Number.MAX_VALUE }],
  ])("takes no value for right under a limit that is %s", async (_, limits) => {
    const golden = { ...parseGolden(smallGolden({ out: [100, 2] })), tolerance: { out: limits } };
    for (const x of [
      [123, 2],
      [100, 123],
      [NaN, 2],
    ]) {
      // prettier-ignore
      const got: GoldenRun = () => tensor(x, [2], { dtype: "float64" });
      const [result] = await checkGolden({ ...golden, inputs: {} }, got, "float64");
      expect(result).toMatchObject({ ok: false, ratio: Infinity });
    }
  });

  test("fails for one wrong element, however large the error of a right one is", async () => {
    const golden = {
      ...parseGolden(smallGolden({ x: [1, 1.5], out: [1, 1] })),
      tolerance: { out: { atol: 0.6, rtol: 0 } },
    };
    const [right] = await checkGolden(golden, ({ x }) => x, "float64");
    expect(right).toMatchObject({ ok: true, error: 0.5 });
    const wrong: GoldenRun = ({ x }) => x.mul(tensor([0, 1], [2], { dtype: "float64" }));
    expect((await checkGolden(golden, wrong, "float64"))[0]).toMatchObject({ ok: false, error: 1 });
  });

  test("fails when the run leaves an input or an argument of the case aside, or has outputs that the case has not", async () => {
    const more = { y: { dtype: "F64", shape: [1], values: new Float64Array(1) } } as const;
    const bytes = smallGolden({ out: [1, 2], attrs: { scale: 1, mode: "x" }, tensors: more, roles: { y: "input" } });
    const check = (run: GoldenRun): Promise<unknown> => checkGolden(parseGolden(bytes), run, "float32");
    await expect(check(({ x }, attrs) => x.mul(attrs.number("scale")))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: golden: test must use all of the case, got the input y, attrs.mode unused]`,
    );
    const all: GoldenRun = ({ x, y }, attrs) => {
      const factor = attrs.number("scale");
      attrs.word("mode", ["x"]);
      return { out: x.mul(factor), sum: y, also: y };
    };
    await expect(check(all)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: golden: the case must have all outputs of the run, got none for sum, also]`,
    );
    await expect(check(({ z }) => z)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: golden: the case must have the input z, got x, y]`,
    );
  });

  test("tells a run the shapes of the outputs, from which it takes counts", async () => {
    const golden = parseGolden(smallGolden({ out: [0, 1, 2, 3] }));
    const count: GoldenRun = ({ x }, _attrs, shapeOf) =>
      tensor(Float64Array.from({ length: shapeOf("out")[0] }, (_, i) => i)).add(x.sum().mul(0));
    expect(await checkGolden(golden, count, "float64")).toMatchObject([{ name: "out", ok: true }]);
    const other: GoldenRun = (_inputs, _attrs, shapeOf) => tensor(shapeOf("lr")[0]);
    await expect(checkGolden(golden, other, "float64")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GraphError: golden: the case must have the output lr, got out]`,
    );
  });
});
