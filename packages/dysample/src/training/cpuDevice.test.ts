import { leaf, profile, Random, type Tensor, withDevice } from "@gridgrad/core";
import { Adam } from "@gridgrad/nn";
import { CpuDevice, crossEntropy } from "@gridgrad/ops";
import { describe, expect, test } from "vitest";

import { Fpn4 } from "../toy/fpn4.ts";
import { makeBatch, trainingDataset } from "../toy/shapes64.ts";
import { StepRecorder } from "./stepRecorder.ts";

const { images, masks } = makeBatch(trainingDataset(0), 0, 16);

function lossOf(model: Fpn4): Tensor {
  const logits = model.forward(leaf([16, 3, 64, 64], "float32", images));
  return crossEntropy(logits, leaf([16, 64, 64], "int32", masks));
}

/** The loss of each of three steps, and the weights and statistics after them. */
async function train(threads: number): Promise<ArrayLike<unknown>[]> {
  const device = new CpuDevice({ threads });
  return withDevice(device, async () => {
    // On a busy machine a worker may need longer to start than a step takes.
    const other = new Fpn4("dysample", { random: new Random(1) });
    while (device.runningThreads < threads) await lossOf(other).item();
    const model = new Fpn4("dysample", { random: new Random(0) });
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const losses: number[] = [];
    for (let step = 0; step < 3; step++) losses.push((await optimizer.step(lossOf(model))).loss);
    const state = Object.values(await model.stateDict());
    expect(Object.fromEntries(device.onLoops)).toEqual({});
    await device.close();
    return [Float64Array.from(losses), ...state.map(({ values }) => values)];
  });
}

describe("a training step of the toy task on the cpu device", () => {
  test("gives the same losses and weights to the bit with 1, 2, 3 and 8 threads, and again", async () => {
    const wanted = await train(1);
    expect(wanted.length).toBeGreaterThan(30);
    for (const threads of [2, 3, 8, 2]) expect(await train(threads)).toEqual(wanted);
  });

  test.each(["bilinear", "dysample", "dysample-s+", "pixel-shuffle"])(
    "with %s takes at most 1.5 times the memory of the tensors that must live together",
    async (upsampler) => {
      const device = new CpuDevice({ threads: 2 });
      await withDevice(device, async () => {
        const model = new Fpn4(upsampler, { random: new Random(0) });
        const { peakBytes, footprintBytes } = await profile(...new StepRecorder(model).record(lossOf(model)));
        expect(peakBytes).toBeGreaterThan(30e6);
        expect(footprintBytes).toBeGreaterThan(peakBytes / 2);
        expect(footprintBytes).toBeLessThan(1.5 * peakBytes);
      });
      await device.close();
    },
  );
});
