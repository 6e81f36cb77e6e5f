import { describe, expect, test } from "vitest";

import { parseGolden } from "./golden.ts";
import { goldenFiles } from "./goldenFiles.ts";

describe("goldenFiles", () => {
  test("finds the cases that match a pattern, sorted by name", () => {
    const names = goldenFiles("arithmetic/layout/transpose_*").map(({ name }) => name);
    expect(names).toEqual([
      "arithmetic/layout/transpose_2x3x4_-2_-1",
      "arithmetic/layout/transpose_2x3x4x5_1_3",
      "arithmetic/layout/transpose_3x5_0_1",
    ]);
  });

  test("gives the bytes of each case", () => {
    const [{ bytes }] = goldenFiles("arithmetic/layout/transpose_3x5_0_1");
    expect(parseGolden(bytes)).toMatchObject({ op: "transpose", attrs: { dim0: 0, dim1: 1 } });
  });

  test("takes every character but * as it is, and matches whole names", () => {
    expect(() => goldenFiles("arithmetic/layout/transpose_3x5_0_.")).toThrow("got none");
    expect(() => goldenFiles("arithmetic/layout/transpose_3x5_0")).toThrow("got none");
    expect(() => goldenFiles("arithmetic/layout/ranspose_*")).toThrow("got none");
  });

  test("fails when nothing matches: a test of no cases would always pass", () => {
    expect(() => goldenFiles("arithmetic/layout/transposed_*")).toThrow(
      /^goldenFiles: arithmetic\/layout\/transposed_\* must match a file in .*arithmetic\/layout\/, got none$/,
    );
  });

  test("fails when there is no such folder", () => {
    expect(() => goldenFiles("arithmetic/nothing/*")).toThrow("arithmetic/nothing");
  });
});
