/** @file How training went: the loss of each contestant in a panel of its own, and what evaluations on the way said. */

import type { LineSeriesOption } from "echarts";

import type { ComparisonResults } from "../compare/results.ts";
import type { ChartName } from "../compare/comparisonFolder.ts";
import type { Chart } from "./chartToSvg.ts";
import { legendHeight, lineLegend, panelTitle, textStyle, valueAxis } from "./chartStyle.ts";
import { type Curve, lossCurve, validationCurve } from "./lossCurves.ts";
import { colourOf } from "./palette.ts";

const width = 960;

/** Panels in a row, their size, and what is between them. */
const columns = 4;
const panel = { width: 190, height: 110 };
const gap = { x: 42, y: 58 };

/** Points of a line in a panel of 190 pixels. */
const points = 95;

interface LabelledCurve {
  readonly label: string;
  readonly colour: string;
  readonly curve: Curve;
}

/** Training loss, one panel each, with the others in grey behind it; `null` before the first step. */
export function lossChart({ contestants }: ComparisonResults): Chart | null {
  const curves = contestants.flatMap((contestant, i) => {
    const curve = lossCurve(contestant);
    return curve ? [{ label: contestant.label, curve: thinned(curve), colour: colourOf(i) }] : [];
  });
  if (curves.length === 0) return null;
  const highest = Math.max(...curves.flatMap(({ curve }) => curve.most));
  const longest = Math.max(...curves.map(({ curve }) => curve.steps.at(-1)!));
  return panelChart("loss", `Training loss at the last step: ${lastOf(curves)}`, curves, {
    x: { min: 1, max: Math.max(longest, 2) },
    y: { min: 0, max: ceiling(highest) },
  });
}

/** A panel for each curve, with the others in grey behind it: legible for any number of curves. */
function panelChart(
  name: ChartName,
  description: string,
  curves: readonly LabelledCurve[],
  { x, y }: Record<"x" | "y", { min?: number; max?: number; scale?: boolean }>,
): Chart {
  const rows = Math.ceil(curves.length / columns);
  const at = (k: number) => ({
    left: 46 + (k % columns) * (panel.width + gap.x),
    top: 30 + Math.floor(k / columns) * (panel.height + gap.y),
  });
  return {
    name,
    description,
    width,
    height: 30 + rows * (panel.height + gap.y),
    option: {
      title: curves.map(({ label }, k) => panelTitle(label, at(k).left, at(k).top - 22)),
      grid: curves.map((_, k) => ({ ...at(k), ...panel })),
      xAxis: curves.map((_, k) => ({
        ...valueAxis(k + columns >= curves.length ? "step" : "", 24),
        ...x,
        gridIndex: k,
        splitNumber: 3,
        axisLabel: { color: "currentColor", fontSize: 11, showMinLabel: true, hideOverlap: true },
      })),
      yAxis: curves.map((_, k) => ({ ...valueAxis(""), ...y, gridIndex: k, splitNumber: 3 })),
      series: curves.flatMap(({ label, curve, colour }, k) => [
        ...curves
          .filter((other) => other.label !== label)
          .map((other) => line("", other.curve, "currentColor", k, { width: 1, opacity: 0.18 })),
        ...band(label, curve, colour, k),
        line(label, curve, colour, k, { width: 2, opacity: 1 }),
      ]),
      textStyle,
    },
  };
}

const validated = [
  ["mIoU", "mIoU"],
  ["boundaryIoU", "boundary IoU"],
  ["loss", "loss"],
] as const;

/** Lines that can be told apart in one panel. */
const together = 5;

/**
 * Validation on the way. Few contestants are together in a panel for each metric; for more, each metric is a chart with a panel
 * for each of them. Empty when fewer than two evaluations were made.
 */
export function validationCharts({ contestants, config }: ComparisonResults): Chart[] {
  const metrics = validated.map(([metric, name]) => {
    const curves = contestants.flatMap((contestant, i): LabelledCurve[] => {
      const curve = validationCurve(contestant, metric, config.steps);
      return curve ? [{ label: contestant.label, curve, colour: colourOf(i) }] : [];
    });
    return { metric, name, curves };
  });
  const [{ curves }] = metrics;
  if (!curves.some(({ curve }) => curve.steps.length > 1)) return [];
  if (curves.length <= together) return [togetherChart(metrics, config.steps)];
  return metrics.map(({ metric, name, curves: own }) => {
    const values = own.flatMap(({ curve }) => [...curve.least, ...curve.most]);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return panelChart(`validation-${metric}`, `Validation ${name} at the last evaluation: ${lastOf(own)}`, own, {
      x: { min: 0, max: config.steps },
      y: { min: Math.floor(least * 10) / 10, max: Math.ceil(most * 10) / 10 },
    });
  });
}

function togetherChart(
  metrics: readonly { readonly name: string; readonly curves: readonly LabelledCurve[] }[],
  steps: number,
): Chart {
  const [{ curves }] = metrics;
  const size = { width: 250, height: 270 };
  const labels = curves.map(({ label }) => label);
  const top = 34 + legendHeight(labels, width);
  const left = (k: number) => 50 + k * (size.width + 62);
  return {
    name: "validation",
    description: `Validation mIoU at the last evaluation: ${lastOf(curves)}`,
    width,
    height: top + size.height + 50,
    option: {
      color: curves.map(({ colour }) => colour),
      title: metrics.map(({ name }, k) => panelTitle(name, left(k), top - 22)),
      legend: lineLegend(labels, 4),
      grid: metrics.map((_, k) => ({ left: left(k), top, ...size })),
      xAxis: metrics.map((_, k) => ({
        ...valueAxis("step"),
        gridIndex: k,
        min: 0,
        max: steps,
        splitNumber: 4,
      })),
      yAxis: metrics.map((_, k) => ({ ...valueAxis(""), gridIndex: k, scale: true })),
      series: metrics.flatMap(({ curves: own }, k) =>
        own.flatMap(({ label, curve, colour }) => [
          ...band(label, curve, colour, k),
          {
            ...line(label, curve, colour, k, { width: 1.8, opacity: 1 }),
            showSymbol: true,
            symbolSize: 4,
            symbol: "circle",
          },
        ]),
      ),
      textStyle,
    },
  };
}

function line(
  name: string,
  { steps, mean }: Curve,
  color: string,
  axis: number,
  style: { width: number; opacity: number },
): LineSeriesOption {
  return {
    type: "line",
    name,
    xAxisIndex: axis,
    yAxisIndex: axis,
    silent: true,
    showSymbol: false,
    itemStyle: { color },
    lineStyle: { color, ...style },
    data: steps.map((step, i) => [step, mean[i]]),
  };
}

/** The range of the runs: an unseen line at the least, and on it an area up to the most. */
function band(label: string, { steps, least, most, n }: Curve, color: string, axis: number): LineSeriesOption[] {
  if (n === 1) return [];
  const part = (values: readonly number[], opacity: number): LineSeriesOption => ({
    type: "line",
    name: `${label} range`,
    stack: `${label} ${axis}`,
    xAxisIndex: axis,
    yAxisIndex: axis,
    silent: true,
    showSymbol: false,
    lineStyle: { opacity: 0 },
    areaStyle: { color, opacity },
    data: steps.map((step, i) => [step, values[i]]),
  });
  const rise = most.map((value, i) => value - least[i]);
  return [part(least, 0), part(rise, 0.22)];
}

function lastOf(curves: readonly LabelledCurve[]): string {
  return curves.map(({ label, curve }) => `${label} ${curve.mean.at(-1)!.toFixed(3)}`).join(", ");
}

/** At most `points` of a curve's points, evenly, with both ends. */
function thinned(curve: Curve): Curve {
  const length = curve.steps.length;
  if (length <= points) return curve;
  const kept = Array.from({ length: points }, (_, k) => Math.round((k * (length - 1)) / (points - 1)));
  const pick = (values: readonly number[]) => kept.map((i) => values[i]);
  return {
    steps: pick(curve.steps),
    mean: pick(curve.mean),
    least: pick(curve.least),
    most: pick(curve.most),
    n: curve.n,
  };
}

/** The next half above a value, so that the highest tick has a short label. */
function ceiling(value: number): number {
  return Math.ceil(value * 2) / 2;
}
