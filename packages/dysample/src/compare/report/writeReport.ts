/**
 * @file The report of a comparison: one HTML file with tables, charts and pictures of whatever is complete by now, and its most
 * useful pictures as files beside it.
 *
 *     report.html
 *     charts/<name>.svg     each chart by itself
 */

import { join } from "node:path";

import { writeFileAtomic } from "@gridgrad/nn/node";

import type { Comparison } from "../comparison.ts";
import type { ComparisonResults } from "../results.ts";
import { barChart } from "./barChart.ts";
import { bubbleChart } from "./bubbleChart.ts";
import type { Chart } from "./chartToSvg.ts";
import { lossChart, validationChart } from "./curveCharts.ts";
import { headSection } from "./headSection.ts";
import { page } from "./page.ts";

/**
 * Writes report.html and the pictures beside it. The same results give the same bytes.
 *
 * @param folder - of the comparison, with its runs.
 * @returns the path of report.html.
 * @throws {Error} of the file system.
 */
export async function writeReport(
  _comparison: Comparison,
  results: ComparisonResults,
  folder: string,
): Promise<string> {
  const { chartToSvg } = await import("./chartToSvg.ts");
  const figure = async (chart: Chart | null, caption: string, without: string): Promise<string> => {
    if (!chart) return `<p>${without}</p>`;
    const svg = chartToSvg(chart);
    await writeFileAtomic(join(folder, "charts", `${chart.name}.svg`), standalone(svg));
    return `<figure>\n${svg}\n<figcaption>${caption}</figcaption>\n</figure>`;
  };
  const sections = [
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
        "To the left is faster, further up is better. The axes do not begin at 0.",
        "Left out until the time of a training step is measured.",
      ),
    ]),
    section("training", "Training", [
      await figure(
        lossChart(results),
        "Training loss, a running mean over 20 steps. Line: mean over the seeds, area: from the lowest to the highest run, grey: the others.",
        "No step is done yet.",
      ),
      await figure(
        validationChart(results),
        "Evaluations on the way, on fewer pictures than the final one, which is the last point. The axes do not begin at 0.",
        "There were no evaluations on the way.",
      ),
    ]),
  ];
  const path = join(folder, "report.html");
  await writeFileAtomic(path, page(results.title, sections));
  return path;
}

function section(id: string, title: string, parts: readonly string[]): string {
  return `<section id="${id}">\n<h2>${title}</h2>\n${parts.join("\n")}\n</section>`;
}

/** An SVG file is shown on whatever is behind it, so it brings its own white. */
function standalone(svg: string): string {
  return svg.replace(/(<svg [^>]*>)/, "$1<style>svg { color: #222; background: #fff; }</style>");
}
