import { describe, expect, test } from "vitest";

import { Adam } from "@gridgrad/nn";

import { resolveConfig } from "./config.ts";
import { createTask } from "./createTask.ts";

describe("the loss before training", () => {
  test("is that of a bilinear resize for DySample, whose offsets start near zero", async () => {
    const task = await createTask(resolveConfig({ task: "restoration", batch: 4, evalImages: 4 }));
    const { psnr, psnrBilinear } = await task.evaluate();
    expect(Math.abs((psnr as number) - (psnrBilinear as number))).toBeLessThan(0.01);
    expect(psnr).toBeGreaterThan(20);
  });

  test("is taken on other pictures in every step", async () => {
    const task = await createTask(resolveConfig({ task: "restoration", batch: 1 }));
    expect(await task.loss(0).item()).not.toBe(await task.loss(1).item());
    expect(await task.loss(0).item()).toBe(await task.loss(0).item());
  });
});

test("a few steps make DySample better than bilinear", async () => {
  const task = await createTask(resolveConfig({ task: "restoration", batch: 4, evalImages: 16 }));
  const optimizer = new Adam(task.model.parameters(), { lr: 0.05 });
  for (let t = 0; t < 40; t++) await optimizer.step(task.loss(t));
  const { psnr, psnrBilinear } = await task.evaluate();
  expect(psnr).toBeGreaterThan((psnrBilinear as number) + 0.1); // dB; forty steps reach 0.2
});

test.each([2, 3, 5, 8])("pictures of 64 pixels can be made smaller by %i", async (scale) => {
  const task = await createTask(resolveConfig({ task: "restoration", scale, batch: 1, evalImages: 1 }));
  expect(await task.loss(0).item()).toBeGreaterThan(0);
  const size = Math.floor(64 / scale) * scale;
  expect((await task.strip()).height).toBe(6 + 4 * (3 * size + 6));
});

test("the summary gives PSNR beside that of bilinear", async () => {
  const task = await createTask(resolveConfig({ task: "restoration" }));
  expect(task.summary({ psnr: 23.456, psnrBilinear: 22.7 })).toBe("PSNR 23.46 dB (bilinear 22.70 dB)");
});
