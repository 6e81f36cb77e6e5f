/** @file What all charts have in common: axes in the page's own colour, so that they can be read in light and dark. */

import type { LegendComponentOption, XAXisComponentOption } from "echarts";

const line = { color: "currentColor", opacity: 0.35 };

/** Of texts that are not an axis's. */
export const textStyle = { color: "currentColor", fontSize: 12 } as const;

/** An axis of numbers with faint grid lines. */
export function valueAxis(name: string, nameGap = 28) {
  return {
    type: "value",
    name,
    nameLocation: "middle",
    nameGap,
    nameTextStyle: textStyle,
    axisLabel: { color: "currentColor", fontSize: 11 },
    axisLine: { show: true, lineStyle: line },
    axisTick: { show: true, lineStyle: line },
    splitLine: { lineStyle: { color: "currentColor", opacity: 0.12 } },
  } as const;
}

/** An axis of labels. */
export function labelAxis(labels: string[]) {
  return {
    type: "category" as const,
    data: labels,
    axisLabel: { color: "currentColor", fontSize: 12, interval: 0 },
    axisLine: { lineStyle: line },
    axisTick: { show: false },
  } satisfies XAXisComponentOption;
}

/** The title of a chart or of one of its panels. */
export function panelTitle(text: string, left: number | string, top: number) {
  return { text, left, top, padding: 0, textStyle: { ...textStyle, fontSize: 13, fontWeight: "bold" } } as const;
}

/** Between two entries of a legend, and between its rows. */
const legendGap = 24;

/** Pixels that a legend of these labels takes, for which it may need several rows. */
export function legendHeight(labels: readonly string[], width: number): number {
  const length = labels.reduce((sum, label) => sum + label.length * 7 + legendGap + 26, 0); // 26: the symbol before the text
  return Math.ceil((length + 80) / width) * (legendGap + 14);
}

/** The legend of lines, above the panels. */
export function lineLegend(labels: string[], top: number) {
  return {
    data: labels,
    top,
    left: 40,
    right: 40,
    itemWidth: 18,
    itemHeight: 8,
    itemGap: legendGap, // more than enough, as texts are measured by a guess at their font
    icon: "rect",
    textStyle,
    selectedMode: false,
  } satisfies LegendComponentOption;
}
