import { expect, test } from "vitest";

import { lineTable, overview, type Row } from "./resultTable.ts";
import type { Machine } from "./roofline.ts";
import type { Figures } from "./timeLine.ts";

const machine: Machine = {
  copies: [{ bytes: 1e6, gigabytesPerSecond: 10, by: "machine" }],
  macs: [
    { gigamacsPerSecond: 20, by: "machine" },
    { gigamacsPerSecond: 50, by: "PyTorch" },
  ],
};

function figures(contestant: string, medianMs: number): Figures {
  const spread = { q1Ms: 0.9 * medianMs, q3Ms: 1.5 * medianMs, bestMs: 0.8 * medianMs, runs: 9 };
  return { contestant, medianMs, ...spread, coresBusy: 1, coresOfOthers: 0, difference: 1e-6 };
}

const rows: Row[] = [
  { title: "matmul", macs: 1e8, bytes: 3e6, figures: [figures("ours", 10), figures("PyTorch", 2.5)], lacking: [] },
  { title: "exp", macs: 0, bytes: 8e6, figures: [figures("ours", 1), figures("tfjs", 4)], lacking: [] },
];

test("lineTable gives each contestant's time, our time over its time, and its share of what the machine can do", () => {
  expect(lineTable(rows[0], machine)).toMatchInlineSnapshot(`
    "matmul (100 M multiply-adds, 3.00 MB)
                 ms  quartiles  ours/peer  of machine  of wasm  cores
      ours     10.0  9.00-15.0                   20 %     50 %    1.0
      PyTorch  2.50  2.25-3.75       4.00        80 %    200 %    1.0"
  `);
});

test("overview has a row for each line and a column for each peer, with a dash where a peer has no such thing", () => {
  expect(overview(rows)).toMatchInlineSnapshot(`
    "  ms (ours/peer)  ours      PyTorch          tfjs
      matmul          10.0  2.50 (4.00)             -
      exp             1.00            -  4.00 (0.250)"
  `);
});
