/**
 * @file Sampling points as SVG: a row for each stage of the training. In it a panel for each group with arrows from where a
 * point starts to where it is, over the picture, and one with the points of all groups over the pixels of the input.
 */

import { makeImage, type SamplingPoint, type SamplingPoints, shapes64, VALIDATION } from "@gridgrad/dysample";
import { encodePng } from "@gridgrad/dysample/node";

import { escapeHtml } from "./escapeHtml.ts";
import { colourOf } from "./palette.ts";
import { type Crop, pictureScale } from "./pointsCrop.ts";

/** Units of the drawing for one pixel of the upsampler's input. */
const unit = 32;

const gap = 16;

/** Room for the title of a row, for those of the columns, and for the scale below. */
const rowTitle = 24;
const header = 22;
const footer = 34;

/** Room for the title of a row where there are few panels. */
const leastWidth = 560;

/** Groups with a panel of their own: more would not fit beside each other. */
const mostPanels = 4;

/** A shorter arrow, in units, is a line without a head, which would be longer than the move. */
const headFrom = 4;

export interface StagePoints {
  /** `After 200 steps` */
  readonly title: string;
  readonly points: SamplingPoints;
}

type Position = readonly [x: number, y: number];

/**
 * @param label - of the contestant.
 * @param stages - in the order of training; at least one.
 */
export function drawPoints(label: string, stages: readonly StagePoints[], crop: Crop): string {
  const groups = 1 + stages[0].points.points.reduce((most, { group }) => Math.max(most, group), 0);
  const shown = Math.min(groups, mostPanels);
  const side = crop.side * unit;
  const width = Math.max(leastWidth, (shown + 1) * (side + gap) + gap);
  const height = header + stages.length * (rowTitle + side + gap) + footer;
  const id = label.replace(/[^a-z\d-]/gi, (character) => `_${character.charCodeAt(0)}_`);
  const left = (column: number) => gap + column * (side + gap);
  const columns = Array.from({ length: shown }, (_, g) =>
    groups === 1 ? "moves" : `group ${g + 1}${shown < groups ? ` of ${groups}` : ""}`,
  );
  const titles = [...columns, groups === 1 ? "points" : `points of all ${groups} groups`].map((title, k) =>
    text(left(k) + side / 2, 16, title, 'text-anchor="middle"'),
  );
  const picture = `<image href="${pictureUri(crop)}" width="${side}" height="${side}" opacity="0.7" style="image-rendering:pixelated"/>`;
  const rows = stages.flatMap(({ title, points: { points, meanMove, largeMove } }, row) => {
    const top = header + row * (rowTitle + side + gap) + rowTitle;
    const inCrop = points.filter(({ h, w }) => isIn(h, crop.y, crop.side) && isIn(w, crop.x, crop.side));
    const ofGroup = Array.from({ length: groups }, (_, g) => inCrop.filter(({ group }) => group === g));
    const moves = `${title}: moved by ${meanMove.toFixed(3)} pixels in the mean, 95th percentile ${largeMove.toFixed(3)}`;
    return [
      text(gap, top - 8, moves, 'font-weight="bold"'),
      ...columns.map((_, g) => panel(left(g), top, side, id, picture + arrows(ofGroup[g], crop, id))),
      panel(
        left(shown),
        top,
        side,
        id,
        pixelGrid(crop.side) +
          ofGroup
            .map((own, g) =>
              dots(
                own.map(({ to }) => to),
                crop,
                colourOf(g),
                4.5,
              ),
            )
            .join(""),
      ),
    ];
  });
  const bar = height - 14;
  const description = `Sampling points of ${label}. ${stages
    .map(({ title, points }) => `${title}: moved by ${points.meanMove.toFixed(3)} pixels in the mean`)
    .join("; ")}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeHtml(description)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="currentColor">
<defs>
<marker id="head-${id}" viewBox="0 0 5 5" refX="5" refY="2.5" markerWidth="5" markerHeight="5" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L5 2.5L0 5z" fill="#000"/></marker>
<clipPath id="panel-${id}"><rect width="${side}" height="${side}"/></clipPath>
</defs>
${[...titles, ...rows].join("\n")}
<path d="M${gap} ${bar}h${unit}m0 -4v8m${-unit} 0v-8" stroke="currentColor" fill="none"/>
${text(gap + unit + 8, bar + 4, "1 pixel of the upsampler's input; arrows are true to this scale")}
</svg>`;
}

function panel(x: number, y: number, side: number, id: string, content: string): string {
  return (
    `<g transform="translate(${x} ${y})"><g clip-path="url(#panel-${id})"><rect width="${side}" height="${side}" fill="#fff"/>` +
    `${content}</g><rect width="${side}" height="${side}" fill="none" stroke="currentColor" opacity="0.5"/></g>`
  );
}

/** From each start, which is a dot, to where the point is. */
function arrows(points: readonly SamplingPoint[], crop: Crop, id: string): string {
  const lines = points.map(({ from, to }) => {
    const [x, y] = place(from, crop);
    const [u, v] = place(to, crop);
    return { d: `M${round(x)} ${round(y)}L${round(u)} ${round(v)}`, length: Math.hypot(u - x, v - y) };
  });
  const short = lines.filter(({ length }) => length < headFrom).map(({ d }) => d);
  const long = lines.filter(({ length }) => length >= headFrom).map(({ d }) => `<path d="${d}"/>`);
  const starts = points.map(({ from }) => from);
  return (
    dots(starts, crop, "#fff", 5) +
    dots(starts, crop, "#000", 2.5) +
    `<g stroke="#000" stroke-width="1.2" fill="none"><path d="${short.join("")}"/>` +
    `<g marker-end="url(#head-${id})">${long.join("")}</g></g>`
  );
}

/** Dots as lines of no length with round ends: a few bytes for each. */
function dots(positions: readonly Position[], crop: Crop, colour: string, diameter: number): string {
  const d = positions.map((position) => {
    const [x, y] = place(position, crop);
    return `M${round(x)} ${round(y)}h0`;
  });
  return `<path d="${d.join("")}" stroke="${colour}" stroke-width="${diameter}" stroke-linecap="round" fill="none"/>`;
}

/** The borders of pixels, and their centres as crosses. */
function pixelGrid(pixels: number): string {
  const side = pixels * unit;
  const at = Array.from({ length: pixels }, (_, k) => k * unit);
  const borders = at.map((k) => `M${k} 0v${side}M0 ${k}h${side}`).join("");
  const centres = at.flatMap((y) => at.map((x) => `M${x + unit / 2 - 3} ${y + unit / 2}h6m-3 -3v6`)).join("");
  return `<path d="${borders}" stroke="#bbb" fill="none"/><path d="${centres}" stroke="#888" fill="none"/>`;
}

function place([x, y]: Position, crop: Crop): Position {
  return [(x - crop.x) * unit, (y - crop.y) * unit];
}

function pictureUri({ picture, x, y, side }: Crop): string {
  const { image } = makeImage(VALIDATION.dataset, picture);
  const { size, channels } = shapes64;
  const length = side * pictureScale;
  const data = new Uint8Array(length * length * channels);
  for (let i = 0; i < length * length; i++) {
    const at = (y * pictureScale + Math.floor(i / length)) * size + x * pictureScale + (i % length);
    for (let c = 0; c < channels; c++) data[i * channels + c] = image[c * size * size + at];
  }
  const bytes = encodePng({ width: length, height: length, channels, data });
  return `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${round(x)}" y="${y}" ${attributes}>${escapeHtml(content)}</text>`;
}

function isIn(value: number, from: number, length: number): boolean {
  return value >= from && value < from + length;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
