/**
 * @file Draws charts as SVG, without a browser. Only this file loads echarts, so that a command which writes no report does not wait
 * for it.
 */

import type { EChartsOption } from "echarts";

import type { ChartName } from "../compare/comparisonFolder.ts";
import { init } from "./echarts.ts";
import { escapeHtml } from "./escapeHtml.ts";

/** A chart as data. */
export interface Chart<Name extends string = ChartName> {
  /** Of its file. */
  readonly name: Name;
  /** What it shows, for those who cannot see it. */
  readonly description: string;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly option: EChartsOption;
}

/** The chart as an SVG element, the same for the same chart. Lines and texts without a colour of their own have the page's. */
export function chartToSvg({ name, description, width, height, option }: Chart<string>): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: "sans-serif" }, ...option });
    return (
      chart
        .renderToSVGString()
        // Its ids and classes count what the process has drawn; in a page they must differ, too.
        .replace(/\bzr\d+-/g, `${name}-`)
        .replace(/-cls-\d+/g, renumbered())
        .replace("<svg ", `<svg role="img" aria-label="${escapeHtml(description)}" `)
    );
  } finally {
    chart.dispose();
  }
}

/** Replaces numbered names by names numbered from 0, in the order in which they come. */
function renumbered(): (name: string) => string {
  const order = new Map<string, string>();
  return (name) => {
    if (!order.has(name)) order.set(name, `-cls-${order.size}`);
    return order.get(name)!;
  };
}
