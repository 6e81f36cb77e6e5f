import { expect, test } from "vitest";

import { withDevice } from "./device.ts";
import { GraphError, OutOfMemoryError } from "./errors.ts";
import { arange, full, ones, tensor, zeros } from "./leaf.ts";
import { lacksMemory, needsMemory } from "./needsMemory.ts";
import { Random } from "./random.ts";
import { realize } from "./realize.ts";

/** More than any machine has. */
const huge = 2 ** 50;

const told = (body: () => unknown): string => {
  try {
    body();
    return "nothing";
  } catch (error) {
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toBeInstanceOf(GraphError);
    return (error as Error).message;
  }
};

test("a leaf that is too large says what it is and how much it needs", () => {
  const random = new Random(0);
  const leaves = [
    () => zeros([huge]),
    () => ones([2, huge], { dtype: "float64" }),
    () => full([huge], 3, { dtype: "int32" }),
    () => tensor({ length: huge } as ArrayLike<number>),
    () => arange(huge),
    () => random.normal([huge]),
    () => random.uniform([huge]),
    () => random.integers([huge], 2),
  ];
  expect(leaves.slice(0, 3).map(told)).toMatchInlineSnapshot(`
    [
      "zeros: a tensor of shape [1125899906842624] in float32 must fit into memory, but needs 4194304.0 GB; a smaller batch, size or scale needs less",
      "ones: a tensor of shape [2, 1125899906842624] in float64 must fit into memory, but needs 16777216.0 GB; a smaller batch, size or scale needs less",
      "full: a tensor of shape [1125899906842624] in int32 must fit into memory, but needs 4194304.0 GB; a smaller batch, size or scale needs less",
    ]
  `);
  for (const leaf of leaves) expect(told(leaf)).toMatch(/must fit into memory, but needs \d+\.0 GB; a smaller batch/);
});

test("a range of whole numbers ends where int32 does, and is exact before", async () => {
  expect(() => arange(2 ** 31 + 1, { dtype: "int32" })).toThrowErrorMatchingInlineSnapshot(
    `[DTypeError: arange: int32 values must be integers of 32 bits, got 2147483648]`,
  );
  expect(await arange(3, { dtype: "int32" }).data()).toEqual(Int32Array.of(0, 1, 2));
});

test("a result that is too large says which op has it, and nothing stays behind", async () => {
  await withDevice("reference", async () => {
    await expect(realize(tensor(1).expand([2 ** 25, 2 ** 25]))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[OutOfMemoryError: op expand with a result of shape [33554432, 33554432] in float32 must fit into memory, but needs 4194304.0 GB; a smaller batch, size or scale needs less]`,
    );
  });
  expect(() => tensor(1).expand([2 ** 27, 2 ** 27])).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: expand: the result must have fewer than 2^53 elements, got a result of shape [134217728, 134217728]]`,
  );
});

test("what engines say for want of memory is told apart from other errors", () => {
  for (const message of [
    "Invalid typed array length: 16384000000",
    "Array buffer allocation failed",
    "WebAssembly.Memory(): could not allocate memory",
    "invalid array length",
    "Out of memory",
  ]) {
    expect([message, lacksMemory(new RangeError(message))]).toEqual([message, true]);
  }
  expect(lacksMemory(new RangeError("toFixed() digits argument must be between 0 and 100"))).toBe(false);
  expect(lacksMemory("Out of memory")).toBe(false);
  const bug = new TypeError("a bug");
  expect(() =>
    needsMemory(
      () => "it",
      1,
      () => {
        throw bug;
      },
    ),
  ).toThrow(bug);
});
