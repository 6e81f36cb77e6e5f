/** @file The head of a report: what was compared, and all results in a table. */

import { type ComparisonResults, type ContestantResults, spreadOf } from "../compare/results.ts";
import { escapeHtml } from "./escapeHtml.ts";
import { formatBytes, formatCount } from "./formatNumber.ts";
import { colourOf } from "./palette.ts";

interface Column {
  readonly name: string;
  /** `null` when there is none yet. */
  readonly value: (contestant: ContestantResults) => number | null;
  readonly text: (contestant: ContestantResults) => string;
  /** Which one is best, where that is a result. */
  readonly best?: "highest" | "lowest";
}

function metricColumn(name: string, metric: string, best: "highest" | "lowest"): Column {
  const text = (contestant: ContestantResults) => {
    const { mean, std, n } = spreadOf(contestant, metric)!;
    return n > 1 ? `${mean.toFixed(4)} ± ${std.toFixed(4)}` : mean.toFixed(4);
  };
  return { name, best, text, value: (contestant) => spreadOf(contestant, metric)?.mean ?? null };
}

const columns: readonly Column[] = [
  metricColumn("mIoU", "mIoU", "highest"),
  metricColumn("boundary IoU", "boundaryIoU", "highest"),
  metricColumn("pixel accuracy", "pixelAccuracy", "highest"),
  metricColumn("validation loss", "loss", "lowest"),
  {
    name: "parameters (in upsamplers)",
    value: ({ parameters }) => parameters,
    text: ({ parameters, upsamplerParameters }) =>
      `${parameters.toLocaleString("en")} (${upsamplerParameters.toLocaleString("en")})`,
  },
  {
    name: "MACs (in upsamplers)",
    value: ({ macs }) => macs,
    text: ({ macs, upsamplerMacs }) => `${formatCount(macs)} (${formatCount(upsamplerMacs)})`,
  },
  {
    name: "ms per step",
    best: "lowest",
    value: ({ msPerStep }) => msPerStep,
    text: ({ msPerStep }) => msPerStep!.toFixed(1),
  },
  {
    name: "peak memory",
    best: "lowest",
    value: ({ peakBytes }) => peakBytes,
    text: ({ peakBytes }) => formatBytes(peakBytes!),
  },
];

export function headSection({ title, config, seeds, contestants }: ComparisonResults): string {
  const runs = contestants.flatMap(({ runs: own }) => own);
  const complete = runs.filter(({ status }) => status === "complete").length;
  const failed = contestants.flatMap(({ label, runs: own }) =>
    own.filter(({ status }) => status === "failed").map(({ seed, error }) => ({ label, seed, error })),
  );
  const { task, steps, batch, lr, dtype, device, evalImages } = config;
  return `<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(
    `Task ${task}: ${steps} steps of ${batch} pictures, learning rate ${lr}, ${dtype} on ${device}; ` +
      `seeds ${seeds.join(", ")}; measured on ${evalImages} validation pictures. ${complete} of ${runs.length} runs are complete.`,
  )}</p>
</header>
<section id="results">
<h2>Results</h2>
${contestants.length === 0 ? "<p>Nothing is compared yet.</p>" : resultsTable(contestants)}${
    failed.length === 0
      ? ""
      : `\n<h3>Failed runs</h3>\n<ul>\n${failed
          .map(({ label, seed, error }) => {
            const reason = error ?? "no reason is known";
            return `<li>${escapeHtml(`${label}, seed ${seed}: ${reason}`)}</li>`;
          })
          .join("\n")}\n</ul>`
  }
</section>`;
}

function resultsTable(contestants: readonly ContestantResults[]): string {
  const names = [...columns.map(({ name }) => name), "runs"];
  const rows = contestants.map((contestant, i) => {
    const cells = columns.map((column) => cell(column, contestant, contestants));
    const done = contestant.runs.filter(({ status }) => status === "complete").length;
    const swatch = `<span class="swatch" style="background:${colourOf(i)}"></span>`;
    return (
      `<tr><th scope="row">${swatch}${escapeHtml(contestant.label)}</th>${cells.join("")}` +
      `<td>${done} of ${contestant.runs.length}</td></tr>`
    );
  });
  return `<div class="wide"><table>
<thead><tr><th scope="col">upsampler</th>${names.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>
<p class="note">Means and standard deviations over the complete runs; bold is the best of a column. MACs are the multiply-accumulates of
a forward pass of one picture, peak memory is what the tensors of a training step take at once.</p>`;
}

function cell(column: Column, contestant: ContestantResults, all: readonly ContestantResults[]): string {
  const value = column.value(contestant);
  if (value === null) return '<td class="missing">–</td>';
  const values = all.flatMap((other) => column.value(other) ?? []);
  const best = column.best === "highest" ? Math.max(...values) : Math.min(...values);
  const marked = column.best !== undefined && value === best && values.length > 1;
  return `<td${marked ? ' class="best"' : ""}>${escapeHtml(column.text(contestant))}</td>`;
}
