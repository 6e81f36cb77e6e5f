/**
 * @file results.csv: one line per run, with everything a spreadsheet needs to make its own tables. Numbers have points, lines end as
 * in RFC 4180, and what is not known yet is empty.
 */

import type { TrainConfig } from "@gridgrad/dysample";

import type { ComparisonResults } from "./results.ts";

const settings = [
  "upsampler",
  "groups",
  "init",
  "scope",
  "steps",
  "batch",
  "lr",
  "warmup",
  "device",
  "dtype",
  "evalImages",
] as const satisfies readonly (keyof TrainConfig)[];

const metrics = ["mIoU", "boundaryIoU", "pixelAccuracy", "loss"] as const;

const costs = ["parameters", "upsamplerParameters", "macs", "upsamplerMacs", "msPerStep", "peakBytes"] as const;

/** The results as comma-separated values. */
export function resultsCsv({ config, contestants }: ComparisonResults): string {
  const header = ["label", "seed", "status", ...metrics, ...costs, ...settings, "error"];
  const rows = contestants.flatMap((contestant) =>
    contestant.runs.map((run) => [
      contestant.label,
      run.seed,
      run.status,
      ...metrics.map((name) => run.metrics?.[name] as number | undefined),
      ...costs.map((name) => contestant[name]),
      ...settings.map((name) => ({ ...config, ...contestant.config })[name]),
      run.error,
    ]),
  );
  return [header, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number | null | undefined): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
