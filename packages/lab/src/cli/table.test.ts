import { expect, test } from "vitest";

import { table } from "./table.ts";

test("the first column starts at the left, the others end at the right", () => {
  const rows = [
    ["sum", "10", "0.5"],
    ["gridSample", "2", ""],
  ];
  expect(table(["op", "kernels", "ms"], rows)).toBe(
    ["op          kernels   ms", "sum              10  0.5", "gridSample        2"].join("\n"),
  );
});
