/**
 * @file The report of a comparison: one HTML file with tables, charts and pictures of whatever is complete by now, and its most
 * useful pictures as files beside it.
 *
 *     report.html
 *     strip.png             predictions on a few validation pictures
 *     points-<label>.svg    where a DySample samples
 *     charts/<name>.svg     each chart by itself
 */

import type { Comparison } from "../compare/comparison.ts";
import type { ComparisonResults } from "../compare/results.ts";
import { barChart } from "./barChart.ts";
import { bubbleChart } from "./bubbleChart.ts";
import type { Chart } from "./chartToSvg.ts";
import { lossChart, validationCharts } from "./curveCharts.ts";
import { headSection } from "./headSection.ts";
import { madeFooter } from "./madeFooter.ts";
import { page } from "./page.ts";
import { boundarySection, pointsSection, predictionSection, predictionsOf } from "./pictureSections.ts";
import { ReportFiles } from "./reportFiles.ts";
import { trainedNetworks } from "./trainedNetwork.ts";

/**
 * Writes report.html and the pictures beside it. The same results give the same bytes.
 *
 * @param folder - of the comparison, with its runs.
 * @returns the path of report.html.
 * @throws {SafetensorsError} when the weights of a run are damaged.
 * @throws {Error} of the file system.
 */
export async function writeReport(comparison: Comparison, results: ComparisonResults, folder: string): Promise<string> {
  const files = new ReportFiles(folder);
  const figure = async (chart: Chart | null, caption: string, without: string): Promise<string> =>
    chart ? files.chart(chart, caption) : `<p>${without}</p>`;
  const networks = await trainedNetworks(comparison, results, folder);
  const predictions = await predictionsOf(networks);
  return files.page(
    page(
      results.title,
      [
        headSection(results),
        section("quality", "Quality", [
          await figure(
            barChart(results),
            "Bars: mean over the seeds. Lines: one standard deviation to both sides. Dots: the single runs.",
            "No run is complete yet.",
          ),
        ]),
        section("cost", "Quality and cost", [
          await figure(
            bubbleChart(results),
            "To the left is faster, further up is better. The axes need not begin at 0.",
            "Left out until the time of a training step is measured.",
          ),
        ]),
        section("training", "Training", [
          await figure(
            lossChart(results),
            "Training loss, a running mean over 20 steps. Line: mean over the seeds, area: from the lowest to the highest run, grey: the others.",
            "No step is done yet.",
          ),
          await validation(results, files),
        ]),
        section("predictions", "Predictions", [await predictionSection(predictions, files)]),
        section("boundaries", "Errors at boundaries", [await boundarySection(predictions, files)]),
        section("points", "Sampling points", [await pointsSection(networks, files, folder)]),
      ],
      madeFooter(results),
    ),
  );
}

async function validation(results: ComparisonResults, files: ReportFiles): Promise<string> {
  const charts = validationCharts(results);
  if (charts.length === 0) return "<p>There were no evaluations on the way.</p>";
  const figures: string[] = [];
  for (const chart of charts) {
    const [metric] = chart.description.split(" at the last"); // "Validation mIoU"
    figures.push(
      await files.chart(
        chart,
        `${charts.length > 1 ? `${metric}: e` : "E"}valuations on the way, on fewer pictures than the final one, which is the last point. ` +
          "The axes do not begin at 0.",
      ),
    );
  }
  return figures.join("\n");
}

function section(id: string, title: string, parts: readonly string[]): string {
  return `<section id="${id}">\n<h2>${title}</h2>\n${parts.join("\n")}\n</section>`;
}
