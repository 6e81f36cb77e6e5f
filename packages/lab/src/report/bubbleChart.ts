/**
 * @file What accuracy costs: the time of a training step, mIoU, and as the area of a bubble the multiply-accumulates of the
 * upsamplers.
 *
 * Source: Liu et al., "Learning to Upsample by Learning to Sample", arXiv:2308.15085, figure 1, which has the same axes.
 */

import { type ComparisonResults, spreadOf } from "../compare/results.ts";
import type { Chart } from "./chartToSvg.ts";
import { textStyle, valueAxis } from "./chartStyle.ts";
import { colourOf } from "./palette.ts";
import { formatCount } from "./formatNumber.ts";
import { placeLabels } from "./placeLabels.ts";

const width = 960;
const height = 480;

/** Of the plot, in pixels. */
const area = { left: 70, right: width - 190, top: 20, bottom: height - 50 };

/** Diameters in pixels: of the most multiply-accumulates, and of none, which must be seen, too. */
const largest = 64;
const smallest = 5;

/** `null` while no contestant has both a complete run and a measured time. */
export function bubbleChart({ contestants }: ComparisonResults): Chart | null {
  const bubbles = contestants.flatMap(({ ...contestant }, i) => {
    const { label, msPerStep, upsamplerMacs } = contestant;
    const mIoU = spreadOf(contestant, "mIoU")?.mean;
    return mIoU === undefined || msPerStep === null
      ? []
      : [{ label, ms: msPerStep, mIoU, macs: upsamplerMacs, colour: colourOf(i) }];
  });
  if (bubbles.length === 0) return null;
  const most = Math.max(...bubbles.map(({ macs }) => macs));
  const diameter = (macs: number) => Math.max(smallest, most === 0 ? 0 : largest * Math.sqrt(macs / most));
  const sizes = most === 0 ? [] : [most, most / 4, most / 16];
  const x = niceRange(bubbles.map(({ ms }) => ms));
  const y = niceRange(bubbles.map(({ mIoU }) => mIoU));
  const along = (value: number, { min, max }: Range, from: number, to: number) =>
    from + ((value - min) / (max - min)) * (to - from);
  const places = placeLabels(
    bubbles.map(({ label, ms, mIoU, macs }) => ({
      label,
      x: along(ms, x, area.left, area.right),
      y: along(mIoU, y, area.bottom, area.top),
      radius: diameter(macs) / 2,
    })),
    area,
  );
  return {
    name: "accuracy-latency",
    description: `Bubbles: ${bubbles
      .map(
        ({ label, ms, mIoU, macs }) =>
          `${label} ${ms.toFixed(1)} ms, mIoU ${mIoU.toFixed(3)}, ${formatCount(macs)} MACs`,
      )
      .join("; ")}`,
    width,
    height,
    option: {
      grid: { left: area.left, right: width - area.right, top: area.top, bottom: height - area.bottom },
      xAxis: { ...valueAxis("ms per training step"), ...x },
      yAxis: { ...valueAxis("mIoU (mean over seeds)", 48), ...y },
      series: [
        {
          type: "scatter",
          silent: true,
          // The small ones last, on top.
          data: [...bubbles]
            .sort((a, b) => b.macs - a.macs)
            .map(({ label, ms, mIoU, macs, colour }) => ({
              name: label,
              value: [ms, mIoU],
              symbolSize: diameter(macs),
              itemStyle: { color: colour, opacity: 0.6, borderColor: colour, borderWidth: 1.5 },
            })),
        },
      ],
      graphic: [
        ...bubbles.map(({ label }, k) => ({
          type: "text" as const,
          x: places[k].x,
          y: places[k].y,
          z: 10,
          style: {
            text: label,
            align: places[k].align,
            verticalAlign: "middle" as const,
            fill: "currentColor",
            fontSize: 12,
          },
        })),
        {
          type: "text",
          left: width - 165,
          top: 40,
          style: { text: "area: MACs of the", fill: "currentColor", fontSize: 12 },
        },
        {
          type: "text",
          left: width - 165,
          top: 56,
          style: { text: "three upsamplers", fill: "currentColor", fontSize: 12 },
        },
        ...sizes.flatMap((macs, k) => {
          const y = 116 + k * 62 - (k === 2 ? 16 : 0);
          return [
            {
              type: "circle" as const,
              shape: { cx: width - 130, cy: y, r: diameter(macs) / 2 },
              style: { fill: "none", stroke: "currentColor" },
            },
            {
              type: "text" as const,
              x: width - 88,
              y,
              style: { text: formatCount(macs), fill: "currentColor", fontSize: 12, verticalAlign: "middle" as const },
            },
          ];
        }),
      ],
      textStyle,
    },
  };
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** Between two ticks. */
  readonly interval: number;
}

/** A range of about five ticks of 1, 2 or 5 times a power of ten, with room for bubbles around the values, none of which is below 0. */
function niceRange(values: readonly number[]): Range {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least) * 0.15 || most * 0.1 || 1;
  const rough = (most - least + 2 * room) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const interval = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const round = (value: number) => Number((value * interval).toPrecision(12));
  return {
    min: Math.max(0, round(Math.floor((least - room) / interval))),
    max: round(Math.ceil((most + room) / interval)),
    interval,
  };
}
