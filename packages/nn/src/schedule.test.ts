import { describe, expect, test } from "vitest";

import { checkGolden, parseGolden } from "@gridgrad/core/testing";
import { goldenFiles } from "@gridgrad/core/testing/goldenFiles";

import { cosineLr, stepLr } from "./schedule.ts";
import { optimizerRuns } from "./testing/optimizerRuns.ts";

describe("schedules give PyTorch's rates", () => {
  const files = ["network/optimizer/cosine_*", "arithmetic/optimizer/step_lr_*"].flatMap(goldenFiles);
  test.each(files)("$name", async ({ bytes }) => {
    const golden = parseGolden(bytes);
    const results = await checkGolden(golden, optimizerRuns[golden.op], "float64");
    expect(results.map(({ name, ok }) => ({ name, ok }))).toEqual([{ name: "lr", ok: true }]);
  });
});

describe("cosineLr", () => {
  test("stays at the lowest rate after its last step", () => {
    const rate = cosineLr({ lr: 1, steps: 10, minLr: 0.25 });
    expect([rate(0), rate(10), rate(11), rate(1000)]).toEqual([1, 0.25, 0.25, 0.25]);
  });

  test("warms up in equal parts to the rate that it would have anyway", () => {
    const plain = cosineLr({ lr: 1, steps: 100 });
    const warm = cosineLr({ lr: 1, steps: 100, warmup: 4 });
    const parts = [0, 1, 2, 3, 4, 50].map((t) => warm(t) / plain(t));
    expect(parts).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
  });

  test("refuses what is no length or rate", () => {
    expect(() => cosineLr({ lr: 1, steps: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: cosineLr: steps must be an integer of at least 1, got 0]`,
    );
    expect(() => cosineLr({ lr: NaN, steps: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: cosineLr: lr must be at least 0 and finite, got NaN]`,
    );
    expect(() => cosineLr({ lr: 1, steps: 1, warmup: -1 })).toThrow(/^cosineLr: warmup must be/);
    expect(() => cosineLr({ lr: 1, steps: 1, minLr: Infinity })).toThrow(/^cosineLr: minLr must be/);
  });
});

describe("stepLr", () => {
  test("cuts to a tenth where it is not told otherwise", () => {
    expect([0, 1, 2, 3].map(stepLr({ lr: 1, stepSize: 2 }))).toEqual([1, 1, 0.1, 0.1]);
  });

  test("refuses what is no length or factor", () => {
    expect(() => stepLr({ lr: 1, stepSize: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: stepLr: stepSize must be an integer of at least 1, got 1.5]`,
    );
    expect(() => stepLr({ lr: 1, stepSize: 1, gamma: -1 })).toThrow(/^stepLr: gamma must be/);
  });
});
