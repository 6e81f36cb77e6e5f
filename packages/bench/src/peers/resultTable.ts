/** @file The table of a run, and what it says about each figure. */

import { threeDigits } from "../statistics.ts";
import { leastMs, type Machine } from "./roofline.ts";
import type { Figures, TimedLine } from "./timeLine.ts";

/** A line with its figures. */
export interface Row extends TimedLine {
  readonly title: string;
  readonly macs: number;
}

const header = ["", "ms", "quartiles", "ours/peer", "of machine", "of wasm", "cores"];

/**
 * A table of one line: a contestant a row, the first of them ours.
 *
 *     ours/peer     our time over the peer's: below 1 we are faster
 *     of machine    the least time that the machine could take, over the time taken
 *     of wasm       the same with what WebAssembly can do here
 *     cores         cores kept busy
 */
export function lineTable({ title, macs, bytes, figures }: Row, machine: Machine): string {
  const work = [macs > 0 ? `${threeDigits(macs / 1e6)} M multiply-adds` : "", `${threeDigits(bytes / 1e6)} MB`];
  const rows = figures.map((each) => [
    each.contestant,
    threeDigits(each.medianMs),
    `${threeDigits(each.q1Ms)}-${threeDigits(each.q3Ms)}`,
    each === figures[0] ? "" : threeDigits(figures[0].medianMs / each.medianMs),
    percent(fractionOf({ macs, bytes }, each, machine)),
    percent(fractionOf({ macs, bytes }, each, inWasm(machine))),
    each.coresBusy.toFixed(1),
  ]);
  return [`${title} (${work.filter((part) => part !== "").join(", ")})`, columns([header, ...rows])].join("\n");
}

/** The share of what the machine can do. Above 1 where caches hold what the copies of that size could not keep there. */
export function fractionOf(work: { macs: number; bytes: number }, { medianMs }: Figures, machine: Machine): number {
  return leastMs(work, machine) / medianMs;
}

/** The machine as WebAssembly sees it: the meter of that name. */
export function inWasm({ copies, macs }: Machine): Machine {
  const own = <T extends { by: string }>(rates: readonly T[]): T[] => rates.filter(({ by }) => by === "machine");
  return { copies: own(copies), macs: own(macs) };
}

/** All lines below each other, one row each: ours, and each peer's time with the ratio. */
export function overview(rows: readonly Row[]): string {
  const peers = [...new Set(rows.flatMap(({ figures }) => figures.slice(1).map(({ contestant }) => contestant)))];
  const ours = rows[0]?.figures[0]?.contestant ?? "ours";
  const body = rows.map(({ title, figures }) => [
    title,
    figures[0] ? threeDigits(figures[0].medianMs) : "",
    ...peers.map((peer) => {
      const theirs = figures.slice(1).find(({ contestant }) => contestant === peer);
      return theirs ? `${threeDigits(theirs.medianMs)} (${threeDigits(figures[0].medianMs / theirs.medianMs)})` : "-";
    }),
  ]);
  return columns([["ms (ours/peer)", ours, ...peers], ...body]);
}

function percent(fraction: number): string {
  return `${Math.round(100 * fraction)} %`;
}

/** The first column starts at the left, numbers end at the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join("  ");
  return rows.map((row) => `  ${line(row)}`.trimEnd()).join("\n");
}
