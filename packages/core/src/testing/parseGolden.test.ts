import { describe, expect, test } from "vitest";

import { encodeSafetensors, type SafetensorsEntry } from "../safetensors.ts";
import { parseGolden } from "./parseGolden.ts";
import { smallGolden, type SmallGolden } from "./smallGolden.ts";

const entry = (shape: number[], dtype: "F32" | "I32" = "F32"): SafetensorsEntry => {
  const length = shape.reduce((n, dim) => n * dim, 1);
  return dtype === "F32"
    ? { dtype, shape, values: new Float32Array(length) }
    : { dtype, shape, values: new Int32Array(length) };
};

const tolerance = (out: unknown, dx: unknown = { atol: 0, rtol: 0 }): string => JSON.stringify({ out, "grad.x": dx });

const limits = '{"atol":0,"rtol":0}';

/** What is wrong with a case that is right but for this. */
function refusal(different: Partial<SmallGolden>): string {
  try {
    parseGolden(smallGolden({ out: [2, 4], grad: [2, 2], ...different }));
  } catch (error) {
    return String(error);
  }
  return "none";
}

describe("parseGolden", () => {
  test("reads inputs, outputs, gradients and arguments by their roles", () => {
    const truth = "pytorch cpu float64, cast to float32";
    const golden = parseGolden(smallGolden({ out: [2, 4], grad: [2, 2], attrs: { scale: 2 }, atol: 1e-3, truth }));
    expect(golden).toMatchObject({ op: "test", attrs: { scale: 2 }, rounded: true });
    expect(Object.keys(golden.inputs)).toEqual(["x"]);
    expect(Object.keys(golden.outputs)).toEqual(["out"]);
    expect(Object.keys(golden.gradients)).toEqual(["grad.x"]);
    expect(Array.from(golden.cotangent!.values as Float64Array)).toEqual([1, 1]);
    expect(golden.tolerance.out).toEqual({ atol: 1e-3, rtol: 0 });
    expect(refusal({})).toBe("none");
  });

  test("refuses a file that is no golden case", () => {
    expect(() => parseGolden(encodeSafetensors({}, { format: "pt" }))).toThrowErrorMatchingInlineSnapshot(
      `[GraphError: golden: metadata format must be "golden-1", got "pt"]`,
    );
  });

  test("refuses metadata that are missing or no JSON objects", () => {
    const texts: [field: string, text: string | null][] = [
      ["op", null],
      ["op", ""],
      ["attrs", null],
      ["attrs", "{"],
      ["attrs", "null"],
      ["roles", "[]"],
      ["roles", '"input"'],
      ["tolerance", null],
      ["tolerance", "7"],
      ["tolerance", `{"out":${limits},"out":${limits},"grad.x":${limits}}`],
      ["tolerance", "x".repeat(1000)],
      ["attrs", "[".repeat(50000) + "]".repeat(50000)],
    ];
    const refused = texts.map(([field, text]) => refusal({ metadata: { [field]: text } }));
    expect(refused).toMatchInlineSnapshot(`
      [
        "GraphError: golden: metadata op must be the name of an operation, got none",
        "GraphError: golden: metadata op must be the name of an operation, got """,
        "GraphError: golden: metadata attrs must be a JSON object, got none",
        "GraphError: golden: metadata attrs must be a JSON object, got "{"",
        "GraphError: golden: metadata attrs must be a JSON object, got "null"",
        "GraphError: golden: metadata roles must be a JSON object, got "[]"",
        "GraphError: golden: metadata roles must be a JSON object, got "\\"input\\""",
        "GraphError: golden: metadata tolerance must be a JSON object, got none",
        "GraphError: golden: metadata tolerance must be a JSON object, got "7"",
        "GraphError: golden: metadata tolerance must have each key once, got "out" twice",
        "GraphError: golden: metadata tolerance must be a JSON object, got "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...",
        "GraphError: golden: metadata attrs must be a JSON object, got "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...",
      ]
    `);
  });

  test("refuses roles that are unknown, missing, or of no tensor", () => {
    expect([
      refusal({ roles: { x: "inputs" } }),
      refusal({ roles: { x: 7 } }),
      refusal({ roles: { x: null } }),
      refusal({ roles: { y: "input" } }),
      refusal({ tensors: { y: entry([1]) } }),
      refusal({ tensors: { out: null }, roles: { out: null } }),
    ]).toMatchInlineSnapshot(`
      [
        "GraphError: golden: roles.x must be one of input, cotangent, output, grad, got "inputs"",
        "GraphError: golden: roles.x must be one of input, cotangent, output, grad, got 7",
        "GraphError: golden: roles.x must be one of input, cotangent, output, grad, got none",
        "GraphError: golden: roles.y must belong to a tensor, got none",
        "GraphError: golden: roles.y must be one of input, cotangent, output, grad, got none",
        "GraphError: golden: the case must have an output, got none",
      ]
    `);
  });

  test("refuses a tolerance that is not two finite numbers of at least 0, for each tensor that is compared and no other", () => {
    const zero = { atol: 0, rtol: 0 };
    expect([
      ...[-1, -1e-300, "0", null, undefined, [0], true].map((atol) =>
        refusal({ metadata: { tolerance: tolerance({ atol, rtol: 0 }) } }),
      ),
      refusal({ metadata: { tolerance: '{"out":{"atol":1e999,"rtol":0}}' } }),
      refusal({ metadata: { tolerance: tolerance({ atol: 0, rtol: -1 }) } }),
      refusal({ metadata: { tolerance: tolerance(null) } }),
      refusal({ metadata: { tolerance: tolerance(0) } }),
      refusal({ metadata: { tolerance: `{"out":${"[".repeat(50000) + "]".repeat(50000)}}` } }),
      refusal({ metadata: { tolerance: tolerance(zero, {}) } }),
      refusal({ metadata: { tolerance: `{"out":${limits}}` } }),
      refusal({ metadata: { tolerance: `{"out":${limits},"grad.x":${limits},"x":${limits}}` } }),
    ]).toMatchInlineSnapshot(`
      [
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got -1",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got -1e-300",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got "0"",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got null",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got none",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got [0]",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got true",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got Infinity",
        "GraphError: golden: tolerance.out.rtol must be a finite number of at least 0, got -1",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got none",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got none",
        "GraphError: golden: tolerance.out.atol must be a finite number of at least 0, got none",
        "GraphError: golden: tolerance.grad.x.atol must be a finite number of at least 0, got none",
        "GraphError: golden: tolerance.grad.x.atol must be a finite number of at least 0, got none",
        "GraphError: golden: tolerance.x must belong to an output or a gradient, got none",
      ]
    `);
  });

  test("refuses a case of which nothing would be compared", () => {
    expect([
      refusal({ tensors: { out: null, cot: null, "grad.x": null }, roles: { out: null, cot: null, "grad.x": null } }),
      refusal({ tensors: { out: entry([0, 2]), cot: entry([0, 2]) } }),
      refusal({ x: [], grad: [] }),
    ]).toMatchInlineSnapshot(`
      [
        "GraphError: golden: the case must have an output, got none",
        "GraphError: golden: out must have elements to compare, got shape [0, 2]",
        "GraphError: golden: grad.x must have elements to compare, got shape [0]",
      ]
    `);
  });

  test("refuses gradients that belong to no floating input, have another shape, or come without one cotangent", () => {
    expect([
      refusal({ tensors: { cot: null }, roles: { cot: null } }),
      refusal({ tensors: { "grad.x": null }, roles: { "grad.x": null } }),
      refusal({ tensors: { more: entry([2]) }, roles: { more: "cotangent" } }),
      refusal({ tensors: { cot: entry([1]) } }),
      refusal({ tensors: { cot: entry([2], "I32") } }),
      refusal({ tensors: { "grad.y": entry([2]) }, roles: { "grad.y": "grad" } }),
      refusal({ tensors: { dx: entry([2]) }, roles: { dx: "grad" } }),
      refusal({ tensors: { x: entry([2], "I32") } }),
      refusal({ tensors: { "grad.x": entry([1]) } }),
      refusal({ tensors: { out: null, y: entry([2]) }, roles: { out: null, y: "output" } }),
    ]).toMatchInlineSnapshot(`
      [
        "GraphError: golden: gradients must come with a cotangent, got grad.x without one",
        "GraphError: golden: gradients must come with a cotangent, got cot without gradients",
        "GraphError: golden: at most one tensor must have the role cotangent, got cot, more",
        "GraphError: golden: cot must be floating, of the shape of out, [2], got F32 [1]",
        "GraphError: golden: cot must be floating, of the shape of out, [2], got I32 [2]",
        "GraphError: golden: a tensor with the role grad must be called grad.<a floating input>, got "grad.y"",
        "GraphError: golden: a tensor with the role grad must be called grad.<a floating input>, got "dx"",
        "GraphError: golden: a tensor with the role grad must be called grad.<a floating input>, got "grad.x"",
        "GraphError: golden: grad.x must have the shape of x, [2], got [1]",
        "GraphError: golden: a case with gradients must have the output out, got y",
      ]
    `);
  });
});
