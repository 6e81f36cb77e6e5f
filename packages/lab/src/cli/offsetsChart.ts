/** @file The loss while only offsets are trained, beside that of the bilinear network whose other weights they share. */

import type { LineSeriesOption } from "echarts";

import { lineLegend, textStyle, valueAxis } from "../report/chartStyle.ts";
import { type Chart, chartToSvg } from "../report/chartToSvg.ts";
import { colourOf } from "../report/palette.ts";

export interface OffsetsCurve {
  readonly upsampler: string;
  /** Validation loss after so many steps, from step 0 on. */
  readonly curve: readonly (readonly [step: number, loss: number])[];
  /** Validation loss of the bilinear network. */
  readonly bilinear: number;
  /** Validation pictures that the losses are of. */
  readonly images: number;
}

/** Draws the curve as an SVG file. */
export function offsetsChart({ upsampler, curve, bilinear, images }: OffsetsCurve): string {
  const last = curve[curve.length - 1];
  const labels = ["bilinear", `${upsampler}, training its offsets only`];
  const lossAxis = valueAxis(`loss on ${images} validation pictures`, 56);
  const chart: Chart<"offsets-loss"> = {
    name: "offsets-loss",
    description:
      `Loss on ${images} validation pictures: ${bilinear.toFixed(4)} with bilinear upsampling; with ${upsampler} ` +
      `${curve[0][1].toFixed(4)} at first, ${last[1].toFixed(4)} after ${last[0]} steps that trained only its offsets`,
    width: 640,
    height: 340,
    option: {
      backgroundColor: "#fff", // a picture in a page does not know the page's colours
      legend: { ...lineLegend(labels, 8), itemGap: 48 },
      grid: { left: 78, right: 24, top: 40, bottom: 52 },
      xAxis: { ...valueAxis("training step"), min: 0, max: last[0] },
      yAxis: {
        ...lossAxis,
        axisLabel: { ...lossAxis.axisLabel, formatter: (value: number) => value.toFixed(4) },
        scale: true,
      },
      series: [
        {
          ...line(labels[0], colourOf(0)),
          showSymbol: false,
          lineStyle: { color: colourOf(0), width: 2, type: "dashed" },
          data: [0, last[0]].map((step) => [step, bilinear]),
        },
        { ...line(labels[1], colourOf(1)), data: curve.map(([step, loss]) => [step, loss]) },
      ],
      textStyle,
    },
  };
  return chartToSvg(chart);
}

function line(name: string, color: string): LineSeriesOption {
  const lineStyle = { color, width: 2 };
  return { type: "line", name, silent: true, symbol: "circle", symbolSize: 6, itemStyle: { color }, lineStyle };
}
