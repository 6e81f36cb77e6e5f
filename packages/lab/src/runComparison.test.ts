import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { comparisonOf } from "./compare/comparisonOf.ts";
import { type ComparisonEvents, runComparison } from "./runComparison.ts";

const tiny = comparisonOf({
  upsamplers: ["nearest"],
  seeds: [0],
  config: { steps: 2, batch: 1, evalImages: 1, checkpointEvery: 1, device: "cpu" },
});

/** Collects the names of events, each once where one follows itself. */
function collectNames(): { names: string[]; events: ComparisonEvents } {
  const names: string[] = [];
  const tell = (name: string) => (): void => {
    if (names.at(-1) !== name) names.push(name);
  };
  const events: ComparisonEvents = {
    onBegin: ({ runs, missing }) => tell(`begin ${runs.length} ${missing.length}`)(),
    onStart: tell("start"),
    onProgress: tell("progress"),
    onEvaluated: tell("evaluated"),
    onEnd: (run, outcome) => tell(`end ${run.id} ${outcome.status}`)(),
    onTrained: tell("trained"),
    onMeasuring: tell("measuring"),
    onMeasured: (outcome) => tell(`measured ${outcome}`)(),
  };
  return { names, events };
}

test.runIf(hasTier("ci"))(
  "a program compares without a terminal: it is told what happens, and gets the results",
  async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "gridgrad-lab-")), "comparison");

    const stopped = collectNames();
    const before = await runComparison(tiny, folder, { signal: AbortSignal.abort(), events: stopped.events });
    expect(before).toEqual({ status: "stopped" });
    expect(stopped.names).toEqual(["begin 1 1", "trained"]);

    const { names, events } = collectNames();
    const outcome = await runComparison(tiny, folder, { events });
    expect(names.filter((name) => !["progress", "evaluated"].includes(name))).toEqual([
      "begin 1 1",
      "start",
      "end nearest-seed0 complete",
      "trained",
      "measuring",
      "measured complete",
    ]);
    expect(names).toContain("progress");
    expect(names).toContain("evaluated");
    expect(outcome).toMatchObject({ status: "complete", measured: true, report: join(folder, "report.html") });
    if (outcome.status !== "complete") return;
    expect(outcome.failures.size).toBe(0);
    expect(outcome.results.contestants.map(({ label, runs }) => [label, runs[0].status])).toEqual([
      ["nearest", "complete"],
    ]);
    expect(existsSync(outcome.report)).toBe(true);

    const again = collectNames();
    await runComparison(tiny, folder, { events: again.events });
    expect(again.names).toEqual(["begin 1 0", "trained"]);
  },
);
