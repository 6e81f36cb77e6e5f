import { dependencies, grad, gpuPlanner, type GpuPlan, type OpInfo, zeros } from "@gridgrad/core";
import { expect, test } from "vitest";

import { gridSample } from "../../ops/gridSample.ts";
import { sampleAtOffsets } from "../../ops/sampleAtOffsets.ts";
import { opsPlanner } from "./opsPlanner.ts";

/** The plans of all ops in the graph of both sampling ops and of their gradients that have to do with sampling, by name. */
function plans(planner: typeof gpuPlanner): Map<string, GpuPlan> {
  const x = zeros([1, 2, 3, 3]);
  const grid = zeros([1, 4, 4, 2]);
  const offsets = zeros([1, 8, 3, 3]);
  const y = gridSample(x, grid)
    .sum()
    .add(sampleAtOffsets(x, offsets, 2).sum());
  const found = new Map<string, GpuPlan>();
  for (const t of dependencies(grad(y, [x, grid, offsets]).concat(y))) {
    if (!t.recipe || !/sample/i.test(t.recipe.op.name)) continue;
    const { op, inputs, attrs } = t.recipe;
    const inShapes = inputs.map((input) => input.shape);
    const info: OpInfo = { attrs, inShapes, outShape: t.shape, dtype: t.dtype };
    found.set(op.name, op.gpu!(info, [], planner));
  }
  return found;
}

test("with the planner of gpu devices the ops that sample have plans, and with core's alone none, so that their loops run", () => {
  const names = ["gridSample", "gridSampleGrid", "gridSampleInput"];
  names.push(...["", "Input", "Offset"].map((end) => `sampleAtOffsets${end}`));
  const withSampling = plans(opsPlanner);
  expect([...withSampling.keys()].sort()).toEqual(names);
  for (const plan of withSampling.values()) expect(Array.isArray(plan) && plan.length).toBeGreaterThan(1);
  expect(plans(gpuPlanner)).toEqual(new Map([...withSampling.keys()].map((name) => [name, null])));
});
