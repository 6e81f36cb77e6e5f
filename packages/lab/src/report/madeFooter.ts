/** @file The foot of a report: how it was made, and on which machine times were measured. */

import type { Made } from "@gridgrad/dysample/internal/node";

import type { ComparisonResults } from "../compare/results.ts";
import { escapeHtml } from "./escapeHtml.ts";

/** Empty where nothing is known: results of versions that did not write it. */
export function madeFooter({ made, measured }: ComparisonResults): string {
  const lines: string[] = [];
  if (made) {
    const command = made.command === undefined ? "" : ` with <code>${escapeHtml(made.command)}</code>`;
    lines.push(`Made by gridgrad ${escapeHtml(made.gridgrad)}${command}, ${machine(made)}.`);
  }
  if (measured)
    lines.push(
      `Time and memory of a step were measured by gridgrad ${escapeHtml(measured.gridgrad)}, ${machine(measured)}.`,
    );
  return lines.map((line) => `<p>${line}</p>`).join("\n");
}

/** `in Node 20.19.0 on AMD EPYC 7763, 4 threads (WebAssembly with SIMD, 4 threads), 2026-03-01 12:00 UTC` */
function machine({ node, cpu, threads, device, date }: Made): string {
  const count = threads === 1 ? "1 thread" : `${threads} threads`;
  const detail = device === undefined ? "" : ` (${device})`;
  const minute = date.slice(0, "2026-03-01T12:00".length).replace("T", " ");
  return escapeHtml(`in Node ${node} on ${cpu}, ${count}${detail}, ${minute} UTC`);
}
