import { describe, expect, expectTypeOf, test } from "vitest";

import "./methods.ts";
import type { Values } from "./dtype.ts";
import { arange, full, ones, tensor, zeros } from "./leaf.ts";
import * as ops from "./ops/index.ts";
import { Random } from "./random.ts";
import { realize } from "./realize.ts";
import { Tensor } from "./tensor.ts";

describe("a short form", () => {
  const x = tensor([[1, -2], [3, 4]]); // prettier-ignore
  const y = tensor([[5, 6], [7, 9]]); // prettier-ignore

  const forms: readonly [string, Tensor, Tensor][] = [
    ["add", x.add(y), ops.add(x, y)],
    ["sub", x.sub(y), ops.sub(x, y)],
    ["mul", x.mul(y), ops.mul(x, y)],
    ["div", x.div(y), ops.div(x, y)],
    ["neg", x.neg(), ops.neg(x)],
    ["exp", x.exp(), ops.exp(x)],
    ["log", y.log(), ops.log(y)],
    ["sqrt", y.sqrt(), ops.sqrt(y)],
    ["pow", y.pow(x), ops.pow(y, x)],
    ["abs", x.abs(), ops.abs(x)],
    ["sigmoid", x.sigmoid(), ops.sigmoid(x)],
    ["tanh", x.tanh(), ops.tanh(x)],
    ["relu", x.relu(), ops.relu(x)],
    ["sum", x.sum(0, { keepdim: true }), ops.sum(x, 0, { keepdim: true })],
    ["mean", x.mean(0, { keepdim: true }), ops.mean(x, 0, { keepdim: true })],
    ["max", x.max(0, { keepdim: true }), ops.max(x, 0, { keepdim: true })],
    ["min", x.min(0, { keepdim: true }), ops.min(x, 0, { keepdim: true })],
    ["matmul", x.matmul(y), ops.matmul(x, y)],
    ["reshape", x.reshape([4]), ops.reshape(x, [4])],
    ["permute", x.permute([1, 0]), ops.permute(x, [1, 0])],
    ["transpose", x.transpose(0, 1), ops.transpose(x, 0, 1)],
    ["expand", x.expand([3, 2, 2]), ops.expand(x, [3, 2, 2])],
    ["slice", x.slice([[0, 1]]), ops.slice(x, [[0, 1]])],
    ["flip", x.flip(1), ops.flip(x, 1)],
    ["clamp", x.clamp({ min: 0, max: 3 }), ops.clamp(x, { min: 0, max: 3 })],
    ["where", x.where(ops.greater(x, 0), y), ops.where(ops.greater(x, 0), x, y)],
    ["detach", x.detach(), ops.detach(x)],
    ["softmax", x.softmax(0), ops.softmax(x, 0)],
    ["cast", x.cast("int32"), ops.cast(x, "int32")],
  ];

  test.each(forms)("%s does what the function of its name does", async (_name, short, long) => {
    expect(short.recipe!.op.name).toBe(long.recipe!.op.name);
    expect(short.recipe!.attrs).toEqual(long.recipe!.attrs);
    await realize(short, long);
    expect(short.shape).toEqual(long.shape);
    expect(await short.data()).toEqual(await long.data());
  });

  test("of every kind stands in the list above or is not an operation", () => {
    const listed = forms.map(([name]) => name);
    const others = ["constructor", "size", "data", "item", "array", "backward", "toString"];
    expect(Object.getOwnPropertyNames(Tensor.prototype).sort()).toEqual([...listed, ...others].sort());
  });
});

test("where takes this where the condition holds, as PyTorch's method does", async () => {
  const x = tensor([-1, 2, -3]);
  expect(await x.where(ops.greater(x, 0), 0).array()).toEqual([0, 2, 0]);
});

test("the keys of a tensor are its fields, not its methods", () => {
  const keys: string[] = [];
  for (const key in tensor([1])) keys.push(key);
  expect(keys).toContain("shape");
  expect(keys).not.toContain("add");
});

describe("the element type is known to the compiler", () => {
  test("from the maker on", () => {
    expectTypeOf(tensor([1])).toEqualTypeOf<Tensor<"float32">>();
    expectTypeOf(tensor(new Float64Array(1))).toEqualTypeOf<Tensor<"float64">>();
    expectTypeOf(tensor(new Float64Array(1), [1], { dtype: "int32" })).toEqualTypeOf<Tensor<"int32">>();
    expectTypeOf(tensor([1], [1], { dtype: "float64", requiresGrad: true })).toEqualTypeOf<Tensor<"float64">>();
    expectTypeOf(tensor([1], [1], { dtype: "float32" as Tensor["dtype"] })).toEqualTypeOf<Tensor>();
    expectTypeOf(tensor(new Uint8Array(1))).toEqualTypeOf<Tensor<"int32">>();
    expectTypeOf(tensor([1] as ArrayLike<number>)).toEqualTypeOf<Tensor>();
    expectTypeOf(zeros([1])).toEqualTypeOf<Tensor<"float32">>();
    expectTypeOf(ones([1], { dtype: "int32" })).toEqualTypeOf<Tensor<"int32">>();
    expectTypeOf(full([1], 2, { dtype: "float64" })).toEqualTypeOf<Tensor<"float64">>();
    expectTypeOf(arange(3, { dtype: "int32" })).toEqualTypeOf<Tensor<"int32">>();
    expectTypeOf(new Random(0).normal([1])).toEqualTypeOf<Tensor<"float32">>();
    expectTypeOf(new Random(0).uniform([1], { dtype: "float64" })).toEqualTypeOf<Tensor<"float64">>();
    expectTypeOf(new Random(0).integers([1], 3)).toEqualTypeOf<Tensor<"int32">>();
  });

  test("to the values", async () => {
    const x = tensor([1, 2]);
    expectTypeOf(await x.mul(x).sum().data()).toEqualTypeOf<Float32Array>();
    expectTypeOf(await ops.exp(ops.add(x, 1)).data()).toEqualTypeOf<Float32Array>();
    expectTypeOf(await x.cast("float64").detach().data()).toEqualTypeOf<Float64Array>();
    expectTypeOf(await ops.cast(x, "int32").data()).toEqualTypeOf<Int32Array>();
    expectTypeOf(await (x as Tensor).data()).toEqualTypeOf<Values>();
    expect(await x.cast("float64").data()).toBeInstanceOf(Float64Array);
  });

  test("and one that is known stands where any may stand", () => {
    expectTypeOf<Tensor<"float32">>().toExtend<Tensor>();
    expectTypeOf<Tensor>().not.toExtend<Tensor<"float32">>();
  });
});
