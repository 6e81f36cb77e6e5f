/** @file Share of wrong pixels against the distance to the nearest boundary. */

import type { Chart } from "./chartToSvg.ts";
import { legendHeight, lineLegend, textStyle, valueAxis } from "./chartStyle.ts";
import { farthest } from "./boundaryErrors.ts";

const width = 960;
const plotHeight = 320;

export interface ErrorCurve {
  readonly label: string;
  readonly colour: string;
  /** From `errorRates`. */
  readonly rates: readonly (number | null)[];
}

export function errorChart(curves: readonly ErrorCurve[]): Chart {
  const labels = curves.map(({ label }) => label);
  const top = 16 + legendHeight(labels, width);
  const percent = (rate: number | null) => (rate === null ? null : Number((rate * 100).toPrecision(6)));
  return {
    name: "boundary-errors",
    description: `Wrong pixels at a boundary: ${curves
      .map(({ label, rates }) => `${label} ${percent(rates[0])?.toFixed(1) ?? "unknown"} %`)
      .join(", ")}`,
    width,
    height: top + plotHeight + 50,
    option: {
      color: curves.map(({ colour }) => colour),
      legend: lineLegend(labels, 4),
      grid: { left: 60, width: width - 90, top, height: plotHeight },
      xAxis: { ...valueAxis("distance to the nearest boundary (pixels)"), min: 0, max: farthest, interval: 1 },
      yAxis: { ...valueAxis("wrong pixels (%)", 38), min: 0 },
      series: curves.map(({ label, colour, rates }) => ({
        type: "line" as const,
        name: label,
        silent: true,
        symbol: "circle",
        symbolSize: 5,
        itemStyle: { color: colour },
        lineStyle: { color: colour, width: 1.8 },
        data: rates.map((rate, distance) => [distance, percent(rate) ?? "-"]),
      })),
      textStyle,
    },
  };
}
