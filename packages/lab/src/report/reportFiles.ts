/** @file The pictures of a report: each in the page, and as a file beside it. */

import { join } from "node:path";

import type { Picture } from "@gridgrad/dysample";
import { writePng } from "@gridgrad/dysample/node";
import { writeFileAtomic } from "@gridgrad/nn/node";

import { ComparisonFolder } from "../compare/comparisonFolder.ts";
import type { Chart } from "./chartToSvg.ts";

export class ReportFiles {
  readonly #folder: ComparisonFolder;

  /** @param folder - of the report. */
  constructor(folder: string) {
    this.#folder = new ComparisonFolder(folder);
  }

  /** Writes charts/<name>.svg, and returns the chart as it stands in the page. */
  async chart(chart: Chart, caption: string): Promise<string> {
    const { chartToSvg } = await import("./chartToSvg.ts");
    const svg = chartToSvg(chart);
    await this.svg(join("charts", `${chart.name}.svg`), svg);
    return `<figure>\n${svg}\n<figcaption>${caption}</figcaption>\n</figure>`;
  }

  /** Writes an SVG file. It is shown on whatever is behind it, so it brings its own white. */
  async svg(name: string, svg: string): Promise<void> {
    const own = "<style>svg { color: #222; background: #fff; }</style>";
    await writeFileAtomic(join(this.#folder.path, name), svg.replace(/(<svg [^>]*>)/, `$1${own}`));
  }

  async strip(picture: Picture): Promise<void> {
    await writePng(this.#folder.file("strip"), picture);
  }

  /** Writes the page, and returns its path. */
  async page(html: string): Promise<string> {
    const path = this.#folder.file("report");
    await writeFileAtomic(path, html);
    return path;
  }
}
