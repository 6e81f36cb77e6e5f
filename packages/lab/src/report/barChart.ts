/** @file mIoU and boundary IoU as bars: the mean over the seeds, its standard deviation, and each run as a dot. */

import { type ComparisonResults, type ContestantResults, spreadOf } from "../compare/results.ts";
import type { Chart } from "./chartToSvg.ts";
import { labelAxis, panelTitle, textStyle, valueAxis } from "./chartStyle.ts";
import { colourOf } from "./palette.ts";

/** The metrics of a run that the chart shows, with their names. */
const metrics = [
  ["mIoU", "mIoU"],
  ["boundaryIoU", "boundary IoU"],
] as const;

const rowHeight = 30;
const width = 960;

/** `null` while no run is complete. */
export function barChart({ contestants }: ComparisonResults): Chart | null {
  const done = contestants.flatMap((contestant, i) =>
    spreadOf(contestant, "mIoU") ? [{ contestant, colour: colourOf(i) }] : [],
  );
  if (done.length === 0) return null;
  const labels = done.map(({ contestant }) => contestant.label);
  const left = 16 + 7 * Math.max(...labels.map((label) => label.length));
  const panelWidth = (width - left) / 2 - 60;
  const lefts = [left, left + panelWidth + 60];
  const height = 40 + done.length * rowHeight + 45;
  return {
    name: "iou",
    description: `Bars of mIoU and boundary IoU: ${done.map(({ contestant }) => summary(contestant)).join("; ")}`,
    width,
    height,
    option: {
      title: metrics.map(([, name], k) => panelTitle(name, lefts[k], 10)),
      grid: lefts.map((x) => ({ left: x, width: panelWidth, top: 36, height: done.length * rowHeight })),
      xAxis: metrics.map((_, k) => ({ ...valueAxis(""), gridIndex: k, min: 0, splitNumber: 4 })),
      yAxis: metrics.map((_, k) => ({
        ...labelAxis(labels),
        gridIndex: k,
        inverse: true,
        axisLabel: { ...labelAxis(labels).axisLabel, show: k === 0 },
      })),
      series: metrics.flatMap(([metric], k) => {
        const spreads = done.map(({ contestant }) => spreadOf(contestant, metric)!);
        return [
          {
            type: "bar",
            xAxisIndex: k,
            yAxisIndex: k,
            silent: true,
            barWidth: 16,
            data: done.map(({ colour }, row) => ({
              value: spreads[row].mean,
              itemStyle: { color: colour, opacity: 0.55 },
            })),
          },
          {
            type: "custom",
            xAxisIndex: k,
            yAxisIndex: k,
            silent: true,
            z: 3,
            encode: { x: 1, y: 0 },
            data: done.map((_, row) => [row, spreads[row].mean, spreads[row].std]),
            renderItem: (_params, api) => {
              const [row, mean, std] = [0, 1, 2].map((at) => api.value(at) as number);
              const [xMean, y] = api.coord([mean, row]);
              const text = {
                type: "text" as const,
                x: Math.max(xMean, api.coord([highestOf(done[row].contestant, metric), row])[0]) + 8,
                y,
                style: { text: mean.toFixed(3), fill: "currentColor", fontSize: 11, verticalAlign: "middle" as const },
              };
              if (Number.isNaN(std)) return text;
              const [from, to] = [mean - std, mean + std].map((value) => api.coord([value, row])[0]);
              const stroke = (x1: number, y1: number, x2: number, y2: number) => ({
                type: "line" as const,
                shape: { x1, y1, x2, y2 },
                style: { stroke: "currentColor", lineWidth: 1.5 },
              });
              return {
                type: "group" as const,
                children: [
                  stroke(from, y, to, y),
                  stroke(from, y - 4, from, y + 4),
                  stroke(to, y - 4, to, y + 4),
                  { ...text, x: Math.max(text.x, to + 8) },
                ],
              };
            },
          },
          {
            type: "scatter",
            xAxisIndex: k,
            yAxisIndex: k,
            silent: true,
            z: 4,
            symbolSize: 6,
            data: done.flatMap(({ contestant, colour }, row) =>
              valuesOf(contestant, metric).map((value) => ({
                value: [value, row],
                itemStyle: { color: colour, borderColor: "#fff", borderWidth: 1 },
              })),
            ),
          },
        ];
      }),
      textStyle,
    },
  };
}

function valuesOf({ runs }: ContestantResults, metric: string): number[] {
  return runs.flatMap(({ status, metrics: found }) =>
    status === "complete" && typeof found?.[metric] === "number" ? [found[metric]] : [],
  );
}

function highestOf(contestant: ContestantResults, metric: string): number {
  return Math.max(...valuesOf(contestant, metric));
}

function summary(contestant: ContestantResults): string {
  const [mIoU, boundaryIoU] = metrics.map(([metric]) => spreadOf(contestant, metric)?.mean.toFixed(3) ?? "unknown");
  return `${contestant.label} ${mIoU} and ${boundaryIoU}`;
}
