import { describe, expect, test } from "vitest";

import { tensor } from "../leaf.ts";
import { GoldenAttrs, optionalInput, watchInputs } from "./goldenAttrs.ts";

const values = {
  n: 2,
  yes: true,
  mode: "zeros",
  axes: [0, -1],
  both: [2, 1],
  padding: [
    [0, 1],
    [2, 3],
  ],
  none: null,
};

describe("GoldenAttrs", () => {
  test("gives arguments of the type that is asked for, and knows what was not read", () => {
    const attrs = new GoldenAttrs(values);
    expect(attrs.unread()).toEqual(["n", "yes", "mode", "axes", "both", "padding", "none"]);
    expect(attrs.number("n")).toBe(2);
    expect(attrs.pair("n")).toBe(2);
    expect(attrs.boolean("yes")).toBe(true);
    expect(attrs.word("mode", ["border", "zeros"])).toBe("zeros");
    expect(attrs.numbers("axes")).toEqual([0, -1]);
    expect(attrs.pair("both")).toEqual([2, 1]);
    expect(attrs.pairs("padding")).toEqual(values.padding);
    attrs.repeats("n", 2);
    expect(attrs.unread()).toEqual(["none"]);
  });

  test("takes a value in place of what is left out or null, where one is named", () => {
    const attrs = new GoldenAttrs(values);
    expect(attrs.number("none", 7)).toBe(7);
    expect(attrs.number("nothing", undefined)).toBe(undefined);
    expect(attrs.numbers("toString", null)).toBe(null);
    expect(attrs.number("n", 7)).toBe(2);
    expect(attrs.unread()).not.toContain("none");
  });

  test("refuses what is missing or of another type, also where it could be left out", () => {
    const attrs = new GoldenAttrs({ ...values, many: Array.from({ length: 1000 }, String), wide: [1, 2, 3] });
    const reads: (() => unknown)[] = [
      () => attrs.number("mode"),
      () => attrs.number("none"),
      () => attrs.number("yes", undefined),
      () => attrs.boolean("n"),
      () => attrs.word("mode", ["border", "reflection"]),
      () => attrs.numbers("n"),
      () => attrs.numbers("many"),
      () => attrs.pair("wide"),
      () => attrs.pairs("both"),
      () => attrs.number("toString"),
      () => attrs.repeats("n", 3),
      () => attrs.repeats("yes", false),
    ];
    const errors = reads.map((read) => {
      try {
        return read();
      } catch (error) {
        return String(error);
      }
    });
    expect(errors).toMatchInlineSnapshot(`
      [
        "GraphError: golden: attrs.mode must be a finite number, got "zeros"",
        "GraphError: golden: attrs.none must be a finite number, got null",
        "GraphError: golden: attrs.yes must be a finite number, got true",
        "GraphError: golden: attrs.n must be true or false, got 2",
        "GraphError: golden: attrs.mode must be one of border, reflection, got "zeros"",
        "GraphError: golden: attrs.n must be an array of finite numbers, got 2",
        "GraphError: golden: attrs.many must be an array of finite numbers, got ["undefined", "undefined", "undefined", "undefined", "undefined", "undefined", "undefined", "undefin...",
        "GraphError: golden: attrs.wide must be a finite number or a pair of them, got [1, 2, 3]",
        "GraphError: golden: attrs.both must be an array of pairs of finite numbers, got [2, 1]",
        "GraphError: golden: attrs.toString must be a finite number, got none",
        "GraphError: golden: attrs.n must be 3, as the tensors say, got 2",
        "GraphError: golden: attrs.yes must be false, as the tensors say, got true",
      ]
    `);
  });
});

describe("watchInputs", () => {
  const x = tensor([1]);

  test("knows what was not read, by destructuring too", () => {
    const { inputs, unread } = watchInputs({ x, weight: x, bias: x });
    expect(inputs.x).toBe(x);
    expect(unread()).toEqual(["weight", "bias"]);
    const { ...all } = inputs;
    expect([Object.keys(all), unread()]).toEqual([["x", "weight", "bias"], []]);
  });

  test("refuses an input that the case does not have, unless it may be left out", () => {
    const { inputs, unread } = watchInputs({ x, weight: x });
    expect(() => inputs.bias).toThrowErrorMatchingInlineSnapshot(
      `[GraphError: golden: the case must have the input bias, got x, weight]`,
    );
    expect(() => inputs.toString).toThrow("golden: the case must have the input toString, got x, weight");
    expect([optionalInput(inputs, "bias"), optionalInput(inputs, "weight")]).toEqual([undefined, x]);
    expect(unread()).toEqual(["x"]);
  });
});
