import { describe, expect, test } from "vitest";

import { apply } from "./apply.ts";
import { grad } from "./autograd.ts";
import { ones } from "./leaf.ts";
import type { Op } from "./op.ts";
import { addOp, cast, mul, sum } from "./ops/index.ts";
import type { Tensor } from "./tensor.ts";

/** y = a + b, with other fields in place of some. */
function changed(fields: object): Op {
  return { ...addOp, name: "plus", ...fields } as unknown as Op;
}

const [a, b] = [ones([2]), ones([2])];
const applied = (fields: object) => expect(() => apply(changed(fields), [a, b], {}));

describe("an op whose record is not complete is refused with its first call:", () => {
  test("without a name", () => {
    applied({ name: undefined }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: apply: an op must have a name, a text, got undefined]`,
    );
    expect(() => apply(undefined as never, [a], {})).toThrow(/apply: an op must have a name/);
  });

  test("without a field, or with one of another kind", () => {
    applied({ vjp: undefined }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: the op must have vjp, a function that gives an array of one gradient or null per input, got undefined]`,
    );
    applied({ shape: [2] }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: the op must have shape, a function that gives the shape of the output, got an array of length 1]`,
    );
    applied({ loops: undefined }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: the op must have loops, a function that gives the values of the output, written into its first argument, got undefined]`,
    );
    applied({ dtype: undefined }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: the op must have a dtype, "float", "any" or a function of those of the inputs, got undefined]`,
    );
    applied({ dtype: "float32" }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: the op must have a dtype, "float", "any" or a function of those of the inputs, got "float32"]`,
    );
    applied({ gpu: "x + y" }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: the op must have gpu, a function, or none, got "x + y"]`,
    );
    expect(() => apply(changed({ gpu: undefined, macs: undefined }), [a, b], {})).not.toThrow();
  });

  test("inputs that are no array", () => {
    expect(() => apply(changed({}), a as never, {})).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: inputs must be an array of tensors, got an object (Tensor)]`,
    );
  });

  test("with a function that gives no shape, or no element type", () => {
    applied({ shape: () => undefined }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: a shape must be an array of integers of at least 0, got undefined]`,
    );
    applied({ shape: () => [2, -1] }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: a shape must be an array of integers of at least 0, got [2, -1]]`,
    );
    applied({ dtype: () => "float" }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus: dtype must be "float32", "float64" or "int32", got "float"]`,
    );
  });
});

describe("what a vjp gives is told by the op and the input:", () => {
  const graded = (vjp: (dy: Tensor) => unknown) => expect(() => grad(sum(apply(changed({ vjp }), [a, b], {})), [a, b]));

  test("a tensor in place of an array", () => {
    graded((dy) => dy).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus.vjp: the result must be an array of length 2, of one gradient or null per input, got an object (Tensor)]`,
    );
    graded(() => undefined).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus.vjp: the result must be an array of length 2, of one gradient or null per input, got undefined]`,
    );
  });

  test("another number of gradients", () => {
    graded((dy) => [dy]).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus.vjp: the result must be an array of length 2, of one gradient or null per input, got an array of length 1]`,
    );
    graded((dy) => [dy, dy, dy]).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus.vjp: the result must be an array of length 2, of one gradient or null per input, got an array of length 3]`,
    );
  });

  test("another shape or element type, or no tensor", () => {
    graded((dy) => [dy, sum(dy)]).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: plus.vjp: gradient 1 must have the shape of input 1, [2], got a gradient of shape []]`,
    );
    graded((dy) => [cast(dy, "float64"), dy]).toThrowErrorMatchingInlineSnapshot(
      `[DTypeError: plus.vjp: gradient 0 must be float32 as input 0 is (cast converts), got float64]`,
    );
    graded((dy) => [dy, 1]).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: plus.vjp: gradient 1 must be a Tensor, got 1; tensor(..) makes one of numbers]`,
    );
  });

  test("null, where there is no gradient, is right", async () => {
    const y = sum(apply(changed({ vjp: (dy: Tensor) => [mul(dy, 2), null] }), [a, b], {}));
    const [da, db] = grad(y, [a, b], { allowUnused: true });
    expect([await da.data(), await db.data()]).toEqual([Float32Array.of(2, 2), new Float32Array(2)]);
  });
});
