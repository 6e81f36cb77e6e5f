import * as core from "@gridgrad/core";
import { expect, test } from "vitest";

import * as ops from "../../../index.ts";
import { cpuKernels } from "./index.ts";

test("each entry names an op, and no two the same", () => {
  const known = Object.entries({ ...core, ...ops })
    .filter(([key]) => key.endsWith("Op"))
    .map(([, value]) => (value as core.Op).name);
  const named = cpuKernels.map(({ op }) => op);
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
});
