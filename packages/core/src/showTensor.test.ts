import { inspect } from "node:util";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import "./methods.ts";
import { ReferenceDevice, withDevice } from "./device.ts";
import { arange, full, tensor, zeros } from "./leaf.ts";
import { realize, release } from "./realize.ts";
import { Tensor } from "./tensor.ts";
import { integers, shapes } from "./testing/arbitraries.ts";

describe("values on the host are shown", () => {
  test("on one line where there is one row", () => {
    expect(String(tensor(12.5))).toBe("Tensor(float32 []) 12.5");
    expect(String(tensor([1, 2, 3]))).toBe("Tensor(float32 [3]) [1, 2, 3]");
    expect(String(tensor([[7]], [1, 1], { dtype: "int32" }))).toBe("Tensor(int32 [1, 1]) [[7]]");
  });

  test("with aligned columns, brackets as they nest, and an empty line between matrices", () => {
    const x = tensor([1, -20, 3, 0.5, 0, 1.25, 7, 8], [2, 2, 2], { dtype: "float64", requiresGrad: true });
    expect(`\n${x}`).toMatchInlineSnapshot(`
      "
      Tensor(float64 [2, 2, 2], requiresGrad)
      [[[  1.00, -20.00],
        [  3.00,   0.50]],

       [[  0.00,   1.25],
        [  7.00,   8.00]]]"
    `);
  });

  test("with four digits behind the point, and no more than are needed", () => {
    expect(String(tensor([1 / 3, 0.1]))).toBe("Tensor(float32 [2]) [0.3333, 0.1000]");
    expect(String(tensor([0.1, 0.2]))).toBe("Tensor(float32 [2]) [0.1, 0.2]");
  });

  test("with powers of ten where a size is far from 1", () => {
    expect(String(tensor([1e-7, 1]))).toBe("Tensor(float32 [2]) [1e-7, 1e+0]");
    expect(String(tensor([1.5e20, -2.25]))).toBe("Tensor(float32 [2]) [1.50e+20, -2.25e+0]");
    expect(String(tensor([2 ** 31 - 1, 0], [2], { dtype: "int32" }))).toBe(
      "Tensor(int32 [2]) [2147483647,          0]",
    );
  });

  test("also those that are no numbers, and the sign of a zero", () => {
    expect(String(tensor([NaN, -Infinity, 2]))).toBe("Tensor(float32 [3]) [      NaN, -Infinity,         2]");
    expect(String(tensor([-0, 0]))).toBe("Tensor(float32 [2]) [-0,  0]");
  });

  test("also where there are none", () => {
    expect(String(zeros([0]))).toBe("Tensor(float32 [0]) []");
    expect(`\n${zeros([2, 0])}`).toBe("\nTensor(float32 [2, 0])\n[[],\n []]");
  });

  test("at the ends of long axes, so that all fits on a screen", () => {
    expect(String(arange(1000))).toBe("Tensor(float32 [1000]) [  0,   1,   2, ..., 997, 998, 999]");
    expect(`\n${arange(60000).reshape([200, 300]).detach()}`).toContain("not computed yet");
    const large = tensor(
      Float32Array.from({ length: 60000 }, (_, i) => i),
      [200, 300],
    );
    expect(`\n${large}`).toMatchInlineSnapshot(`
      "
      Tensor(float32 [200, 300])
      [[    0,     1,     2, ...,   297,   298,   299],
       [  300,   301,   302, ...,   597,   598,   599],
       [  600,   601,   602, ...,   897,   898,   899],
       ...,
       [59100, 59101, 59102, ..., 59397, 59398, 59399],
       [59400, 59401, 59402, ..., 59697, 59698, 59699],
       [59700, 59701, 59702, ..., 59997, 59998, 59999]]"
    `);
  });

  test("on a few lines, whatever the shape", () =>
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 5 }), (shape) => {
        const text = String(full(shape, 1));
        const shown = text.slice(text.indexOf(")")).match(/1/g) ?? [];
        expect(shown.length).toBeLessThanOrEqual(200);
        expect(text.split("[").length).toBe(text.split("]").length);
      }),
    ));

  test("not one by one where a shape has too many axes for it", () => {
    const shape = Array<number>(16).fill(2);
    expect(String(zeros(shape))).toBe(`Tensor(float32 [${shape.join(", ")}]) [...]`);
  });
});

describe("a tensor without values on the host says", () => {
  test("how it will be computed", () => {
    const x = tensor([[1, 2], [3, 4]]); // prettier-ignore
    expect(String(x.matmul(tensor([[1], [2]])))).toMatchInlineSnapshot(
      `"Tensor(float32 [2, 1], not computed yet: matmul of [2, 2], [2, 1]; await t.data() computes it)"`,
    );
  });

  test("where its values are, which stay there", async () => {
    const device = new ReferenceDevice();
    await withDevice(device, async () => {
      const x = tensor([1, 2]).add(1);
      await realize(x);
      expect(String(x)).toMatchInlineSnapshot(`"Tensor(float32 [2], computed on reference; await t.data() reads it)"`);
      expect([x.values, device.memory.buffers]).toEqual([null, 1]);
      await x.data();
      expect(String(x)).toBe("Tensor(float32 [2]) [2, 3]");
    });
  });

  test("why there are none any more", () => {
    const x = tensor([1, 2]).add(1);
    release(x, "the test has freed it");
    expect(String(x)).toMatchInlineSnapshot(`"Tensor(float32 [2], its values are gone: the test has freed it)"`);
  });
});

describe("the text is shown", () => {
  test("by Node's console and REPL, indented as what it is in", () => {
    expect(inspect(tensor([1, 2]))).toBe("Tensor(float32 [2]) [1, 2]");
    expect(`\n${inspect({ net: { w: tensor([[1, 2], [3, 4]]) } })}`).toMatchInlineSnapshot(`
      "
      {
        net: {
          w: Tensor(float32 [2, 2])
          [[1, 2],
           [3, 4]]
        }
      }"
    `); // prettier-ignore
  });

  test("in counterexamples of fast-check, of properties that wait and of those that do not", async () => {
    const cases = shapes({ minRank: 1, maxRank: 1 }).chain((shape) => integers(shape));
    const sync = fc.check(
      fc.property(cases, (x) => x.size < 0),
      { seed: 1 },
    );
    const waiting = await fc.check(
      fc.asyncProperty(cases, async (x) => (await x.data()).length < 0),
      { seed: 1 },
    );
    expect(fc.defaultReportMessage(sync)).toMatch(/Counterexample: \[Tensor\(float\d\d \[\d\]\) \[.*\]\]/);
    expect(await fc.asyncDefaultReportMessage(waiting)).toMatch(
      /Counterexample: \[Tensor\(float\d\d \[\d\]\) \[.*\]\]/,
    );
  });

  test("never as an error: what no constructor has made has nothing to show", () => {
    expect(inspect(Tensor.prototype)).not.toContain("Error");
    expect(inspect(Object.create(Tensor.prototype))).toBe("[Tensor]");
  });
});
