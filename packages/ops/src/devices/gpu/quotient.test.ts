import { apply, type Op, quotient, type Tensor, tensor, type Thread, withDevice } from "@gridgrad/core";
import { describeDevices } from "@gridgrad/core/testing/devices";
import { expect, test } from "vitest";

/** All the numbers that index a tensor on a GPU, 0 to 2^24 - 1, divided by `n`: a quotient per number. */
const quotientsOp: Op<{ readonly n: number; readonly exact: boolean }> = {
  name: "quotients",
  shape: () => [2 ** 24],
  dtype: "float",
  vjp: () => [null],
  loops(y, _inputs, { attrs: { n } }) {
    for (let i = 0; i < y.length; i++) y[i] = Math.floor(i / n);
  },
  gpu: ({ attrs: { n, exact } }) => [
    { kernel: exact ? quotientsKernel : floorsKernel, inputs: [0], size: 2 ** 24, integers: { n } },
  ],
};

function quotientsKernel(this: Thread<"n">, x: ArrayLike<number>): number {
  const i = this.thread.x;
  return quotient(i, this.constants.n) + x[0];
}

/** What `quotient` is there for: the quotient of floats, rounded down. */
function floorsKernel(this: Thread<"n">, x: ArrayLike<number>): number {
  const i = this.thread.x;
  return Math.floor(i / this.constants.n) + x[0];
}

/** How many of the quotients are wrong. */
async function countWrong(n: number, exact: boolean): Promise<number> {
  const zero: Tensor = tensor([0]);
  const values = await apply(quotientsOp, [zero], { n, exact }).data();
  let wrong = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== Math.floor(i / n)) wrong++;
  return wrong;
}

// Sizes that divide badly: rounding the quotient of floats down is wrong at 1.4 million of the indices for 3 on SwiftShader.
const divisors = [3, 1000, 57600, 2 ** 23 + 1];

describeDevices((device) => {
  test("quotient is exact for every index and these sizes", async () => {
    await withDevice(device, async () => {
      for (const n of divisors) expect({ n, wrong: await countWrong(n, true) }).toEqual({ n, wrong: 0 });
    });
  });
}, "gpu");
