import fc from "fast-check";
import { expect, test } from "vitest";

import { spread } from "./spread.ts";

test("spread draws values of alternating signs that are all at least 0.6 apart", () => {
  fc.assert(
    fc.property(spread([3, 5]), ({ values }) => {
      expect(Array.from(values!, Math.sign)).toEqual(Array.from({ length: 15 }, (_, i) => (i % 2 === 0 ? 1 : -1)));
      const sorted = Array.from(values!).sort((a, b) => a - b);
      // 1e-12: the sums round
      for (let i = 1; i < sorted.length; i++) expect(sorted[i] - sorted[i - 1]).toBeGreaterThanOrEqual(0.6 - 1e-12);
    }),
  );
});
