/** @file The pictures of a report: each in the page, and as a file beside it. */

import { join } from "node:path";

import { writeFileAtomic } from "@gridgrad/nn/node";

import { type Picture, writePng } from "../../picture/png.ts";
import type { Chart } from "./chartToSvg.ts";

export class ReportFiles {
  readonly #folder: string;

  /** @param folder - of the report. */
  constructor(folder: string) {
    this.#folder = folder;
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
    await writeFileAtomic(join(this.#folder, name), svg.replace(/(<svg [^>]*>)/, `$1${own}`));
  }

  async picture(name: string, picture: Picture): Promise<void> {
    await writePng(join(this.#folder, name), picture);
  }

  /** Writes the page, and returns its path. */
  async page(html: string): Promise<string> {
    const path = join(this.#folder, "report.html");
    await writeFileAtomic(path, html);
    return path;
  }
}
