/** @file The tests of one training run of PyTorch: step by step in float64 and float32. */

import { beforeAll, describe, expect, test } from "vitest";

import { setDevice, type Values, withDevice } from "@gridgrad/core";
import { describeDevices } from "@gridgrad/core/testing/devices";
import { hasTier } from "@gridgrad/core/testing/tier";

import { entriesBelow, Follower, readTrajectory, type Trajectory } from "./trajectory.ts";

/**
 * Limits, as relative errors. Training is chaotic: PyTorch's own float32 run leaves its float64 run by 2e-7 at step 0, 4e-5 at
 * step 4, 3e-4 at step 9 and 1e-2 at step 39, so float32 is held to ten times as much, and only where that says something.
 * In float64 the same growth starts from 1e-16.
 */
const limits = {
  float32: {
    steps: Math.min(10, followedSteps()),
    loss: (t: number) => (t < 5 ? 1e-4 : 2e-3),
    gradient: 3e-4,
    statistics: 1e-5,
  },
  float64: { steps: followedSteps(), loss: (t: number) => (t < 10 ? 1e-9 : 1e-6), gradient: 1e-6, statistics: 1e-6 },
};

/** Steps that are followed in float64, on the loops, where one takes most of a second: all that the fixtures hold, or the first of them. */
function followedSteps(): number {
  if (hasTier("all")) return 40;
  return hasTier("ci") ? 5 : 2;
}

/**
 * Limit of the first gradients on other devices, which round more than the float32 loops do. With DySample one activation lies so close
 * to the kink of a ReLU that moving all weights by 5e-7 of themselves flips it in 2 of 16 trials, in float64; that changes gradients by
 * up to 3.3e-3. Everything else stays below 3e-6.
 */
const deviceGradient = 1e-2;

/** Steps that are followed on other devices. On drivers that draw on the CPU one takes up to half a minute. */
const deviceSteps = 2;

/** Here each upsampler is followed; on other devices, which compile for seconds and draw on the CPU, the largest tier does that. */
const quickest = "cpu";

/** The upsampler with most to compute. */
const fullest = "dysample+";

export function describeTrajectory(upsampler: string): void {
  describeDevices((device) => {
    const waits = device.name !== quickest && upsampler !== fullest && !hasTier("all");
    test.skipIf(waits)(
      `training with ${upsampler} follows PyTorch in float32: first logits and gradients, ${deviceSteps} steps`,
      () =>
        withDevice(device, async () => {
          const trajectory = readTrajectory(upsampler);
          (device.onLoops as Map<string, string>).clear(); // of other tests
          await checkFirst(trajectory, await Follower.start(trajectory, "float32"), deviceGradient);
          const follower = await Follower.start(trajectory, "float32");
          for (let t = 0; t < deviceSteps; t++) {
            const error = Math.abs((await follower.step(t)) - trajectory.losses[t]) / trajectory.losses[t];
            expect(error, `loss of step ${t}`).toBeLessThan(limits.float32.loss(t));
          }
          // Of the whole step only a count is no float32 kernel: batch norm's number of batches, an int32.
          const onLoops = device.name === "cpu" ? {} : { add: "int32 stays on the host" };
          expect(Object.fromEntries(device.onLoops!)).toEqual(onLoops);
        }),
    );
  });

  describe.each(followedTypes(upsampler))(`training with ${upsampler} follows PyTorch in %s`, (dtype) => {
    const limit = limits[dtype];
    let trajectory: Trajectory;
    let follower: Follower;
    beforeAll(async () => {
      setDevice("reference"); // the limits are those of the loops
      trajectory = readTrajectory(upsampler);
      follower = await Follower.start(trajectory, dtype);
    });

    test("first logits and gradients", async () => {
      await checkFirst(trajectory, follower, limit.gradient);
      follower = await Follower.start(trajectory, dtype); // that forward pass has recorded running statistics
    });

    test(`running statistics after the first step, and the losses of the first ${limit.steps} steps`, async () => {
      for (let t = 0; t < limit.steps; t++) {
        const loss = await follower.step(t);
        expect(Math.abs(loss - trajectory.losses[t]) / trajectory.losses[t], `loss of step ${t}`).toBeLessThan(
          limit.loss(t),
        );
        if (t > 0) continue;
        const state = await follower.model.stateDict();
        for (const [name, { values }] of Object.entries(entriesBelow(trajectory, "after0."))) {
          expect(relativeError(state[name].values as Values, values as Values), name).toBeLessThan(limit.statistics);
        }
      }
    });
  });
}

/** Types in which the loops are followed. The quick tier follows the plainest and the fullest one, and the others on `cpu` alone. */
function followedTypes(upsampler: string): ("float64" | "float32")[] {
  if (hasTier("all")) return ["float64", "float32"];
  if (["bilinear", fullest].includes(upsampler)) return hasTier("ci") ? ["float64", "float32"] : ["float64"];
  return hasTier("ci") ? ["float64"] : [];
}

/** The logits and gradients of step 0. */
async function checkFirst(trajectory: Trajectory, follower: Follower, limit: number): Promise<void> {
  const { gradients, logits } = await follower.first();
  expect(relativeError(await logits.data(), trajectory.tensors.logits0.values as Values)).toBeLessThan(limit);
  const expected = Object.entries(entriesBelow(trajectory, "grad0."));
  expect(expected.map(([name]) => name).sort()).toEqual([...gradients.keys()].sort());
  for (const [name, { values }] of expected) {
    expect(relativeError(await gradients.get(name)!.data(), values as Values), name).toBeLessThan(limit);
  }
}

/**
 * Largest difference, relative to the largest expected magnitude. NaN where one is not finite, or there is nothing to
 * compare.
 */
export function relativeError(got: Values, expected: Values): number {
  expect(got.length).toBe(expected.length);
  let error = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    error = Math.max(error, Math.abs(got[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return error / largest;
}
