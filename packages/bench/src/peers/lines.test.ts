import { expect, test } from "vitest";

import { lines } from "./lines.ts";
import { elements } from "./task.ts";

test("titles tell the lines apart", () => {
  expect(new Set(lines.map(({ title }) => title)).size).toBe(lines.length);
});

test("a line with gradients has a dy, and its inputs are the same each time and fill their shapes", async () => {
  for (const { title, task, inputs } of lines.filter(({ title }) => /7, 7|sum|conv2d/.test(title))) {
    const [once, again] = [await inputs(), await inputs()];
    expect([title, "dy" in once]).toEqual([title, task.gradients]);
    for (const [name, tensor] of Object.entries(once)) {
      expect([title, name, tensor.values.length]).toEqual([title, name, elements(tensor)]);
      expect(again[name].values.slice(0, 9)).toEqual(tensor.values.slice(0, 9));
    }
  }
});

test("no position of gridSample lies where its slope jumps", async () => {
  const { grid, x } = await lines.find(({ task }) => task.work === "gridSample")!.inputs();
  const size = x.shape[2];
  let closest = Infinity;
  for (const g of grid.values) {
    const px = ((g + 1) * size - 1) / 2;
    closest = Math.min(closest, Math.abs(px - Math.round(px)));
  }
  expect(closest).toBeGreaterThan(0.009);
});
