import { tensor, zeros } from "@gridgrad/core";
import { Parameter } from "@gridgrad/nn";
import { expect, test } from "vitest";

import { Fpn4 } from "../toy/fpn4.ts";
import { DySample } from "../upsamplers/dysample.ts";
import { inputOfLast, samplingPoints } from "./samplingPoints.ts";
import { validationInput } from "./segmentation.ts";

/** Two groups: the points of the first move by (0.75, 1) input pixels, those of the second stay. */
function moving(): DySample {
  const up = new DySample(4, { groups: 2 });
  const [dx, dy, stay] = [3, 4, 0].map((offset) => new Array<number>(4).fill(offset)); // times the scope of 0.25
  up.offset.weight = new Parameter(zeros(up.offset.weight.shape));
  up.offset.bias = new Parameter(tensor([...dx, ...stay, ...dy, ...stay], [16]));
  return up;
}

test("each point starts where a bilinear resize reads, and is where its offset takes it", async () => {
  const { points } = await samplingPoints(moving(), zeros([1, 4, 2, 3]));
  expect(points).toHaveLength(2 * 4 * 6);
  expect(points[0]).toEqual({ group: 0, h: 0, w: 0, from: [0.25, 0.25], to: [1, 1.25] });
  // Sub-pixel (0, 1) of pixel (1, 2).
  expect(points[1 * 6 + 5]).toEqual({ group: 0, h: 1, w: 2, from: [2.75, 1.25], to: [3.5, 2.25] });
  // Of the second group, sub-pixel (1, 0) of pixel (0, 1).
  expect(points[6 * 6 + 1]).toEqual({ group: 1, h: 0, w: 1, from: [1.25, 0.75], to: [1.25, 0.75] });
});

test("moves are measured from the start, as mean and 95th percentile", async () => {
  const { meanMove, largeMove } = await samplingPoints(moving(), zeros([1, 4, 2, 3]));
  expect([meanMove, largeMove]).toEqual([1.25 / 2, 1.25]);
});

test("points are of one picture", async () => {
  await expect(samplingPoints(moving(), zeros([2, 4, 2, 3]))).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: samplingPoints: x must be of one picture, [1, C, H, W], got x of shape [2, 4, 2, 3]]`,
  );
});

test("the input of the last upsampler is found without a trace in the network", async () => {
  const model = new Fpn4("dysample");
  const image = validationInput(0, "float32");
  const before = await model.eval().forward(image).data();
  const seen = inputOfLast(model, image);
  expect(seen.shape).toEqual([1, 32, 32, 32]);
  expect(Object.hasOwn(model.up2, "forward")).toBe(false);
  expect(await model.cls.forward(model.up2.forward(seen)).data()).toEqual(before);
});
