/**
 * @file Explain: what a graph will run, in which order, how many products it adds up, and how much memory it holds at each step;
 * after a run, how long each kernel took. As text, as JSON and as a Graphviz drawing.
 */

import { checkTensor } from "./checkTensor.ts";
import { formatMacs, macsOf } from "./countMacs.ts";
import { getDevice } from "./device.ts";
import { bytesPerElement, type DType } from "./dtype.ts";
import { formatBytes } from "./formatBytes.ts";
import { dependencies } from "./graph.ts";
import { isRealized } from "./held.ts";
import { realizeWith } from "./realize.ts";
import { formatShape, type Shape } from "./shape.ts";
import { Shown } from "./shown.ts";
import type { Tensor } from "./tensor.ts";

/** One kernel of the schedule. */
export interface Step {
  /** Number of the tensor that it computes, counted from 1 within this explanation, leaves included. */
  readonly id: number;
  readonly op: string;
  /** Attributes of the op. */
  readonly attrs: Readonly<Record<string, unknown>>;
  /** What it reads. `leaf`: values that are there before the run, given or realized. */
  readonly inputs: readonly { readonly id: number; readonly shape: Shape; readonly leaf: boolean }[];
  readonly shape: Shape;
  readonly dtype: DType;
  /** Size of the output. */
  readonly bytes: number;
  /** Bytes on the device while it runs: its inputs, its output, and what waits for later steps. */
  readonly liveBytes: number;
  /** Multiply-accumulates, as `countMacs` has them. */
  readonly macs: number;
  readonly target: boolean;
  /** Time of the kernel, after `profile`. */
  ms?: number;
}

/** A schedule that can be printed. */
export class Explanation extends Shown {
  readonly device: string;
  readonly steps: readonly Step[];
  /** Largest `liveBytes`. */
  readonly peakBytes: number;
  /** Sum of the steps' multiply-accumulates. */
  readonly macs: number;
  /** After `profile`, on a device that lays out its memory itself: the bytes it took, gaps, scratch and everything else on it included. */
  footprintBytes?: number;

  constructor(device: string, steps: readonly Step[]) {
    super();
    this.device = device;
    this.steps = steps;
    this.peakBytes = steps.reduce((most, step) => Math.max(most, step.liveBytes), 0);
    this.macs = steps.reduce((total, step) => total + step.macs, 0);
  }

  /** Sum of the kernels' times; `undefined` before a run. */
  get ms(): number | undefined {
    if (this.steps.some((step) => step.ms === undefined)) return undefined;
    return this.steps.reduce((total, step) => total + step.ms!, 0);
  }

  /** A table, one line a kernel, and a line that adds up. */
  toString(): string {
    const timed = this.ms !== undefined;
    const header = ["#", "op", "inputs", "output", "bytes", "live", ...(timed ? ["ms"] : [])];
    const rows = this.steps.map((step) => [
      String(step.id),
      step.op + (step.target ? " *" : ""),
      step.inputs.map(({ id, shape, leaf }) => `${leaf ? "leaf " : ""}${id}${formatShape(shape)}`).join(" "),
      `${formatShape(step.shape)}${step.dtype === "float32" ? "" : ` ${step.dtype}`}`,
      formatBytes(step.bytes),
      formatBytes(step.liveBytes),
      ...(timed ? [step.ms!.toFixed(3)] : []),
    ]);
    const widths = header.map((title, column) =>
      rows.reduce((width, row) => Math.max(width, row[column].length), title.length),
    );
    const leftAligned = new Set([1, 2, 3]); // op, inputs, output; numbers are aligned at the right
    const line = (cells: readonly string[]): string =>
      cells
        .map((cell, c) => (leftAligned.has(c) ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
        .join("  ")
        .trimEnd();
    const time = timed ? `, ${this.ms!.toFixed(1)} ms` : "";
    const taken = this.footprintBytes === undefined ? "" : ` in ${formatBytes(this.footprintBytes)} of memory`;
    const peak = `peak ${formatBytes(this.peakBytes)}${taken}`;
    const macs = this.macs > 0 ? `, ${formatMacs(this.macs)}` : "";
    const total = `${this.steps.length} kernels on ${this.device}${macs}, ${peak}${time} (* asked for)`;
    return [line(header), ...rows.map(line), total].join("\n");
  }

  /** Time per op, the longest first: `[{ op, kernels, ms, share }]`. Empty before a run. */
  byOp(): { op: string; kernels: number; ms: number; share: number }[] {
    const total = this.ms;
    if (total === undefined) return [];
    const groups = new Map<string, { op: string; kernels: number; ms: number; share: number }>();
    for (const step of this.steps) {
      const group = groups.get(step.op) ?? { op: step.op, kernels: 0, ms: 0, share: 0 };
      groups.set(step.op, group);
      group.kernels++;
      group.ms += step.ms!;
      group.share = total > 0 ? group.ms / total : 0;
    }
    return [...groups.values()].sort((a, b) => b.ms - a.ms);
  }

  /** A drawing in Graphviz' language: `dot -Tsvg graph.dot > graph.svg`. */
  toDot(): string {
    const lines = ["digraph gridgrad {", "  rankdir=TB; node [shape=box, fontname=monospace];"];
    const leaves = new Map(
      this.steps.flatMap((s) => s.inputs.filter((i) => i.leaf).map((i) => [i.id, i.shape] as const)),
    );
    for (const [id, shape] of leaves)
      lines.push(`  t${id} [label="leaf ${id}\\n${formatShape(shape)}", style=dashed];`);
    for (const step of this.steps) {
      const time = step.ms === undefined ? "" : `\\n${step.ms.toFixed(3)} ms`;
      const style = step.target ? ", style=bold" : "";
      lines.push(`  t${step.id} [label="${step.op}\\n${formatShape(step.shape)}${time}"${style}];`);
      for (const input of step.inputs) lines.push(`  t${input.id} -> t${step.id};`);
    }
    return [...lines, "}"].join("\n");
  }

  /** Plain data, for `JSON.stringify`. */
  toJSON(): object {
    return {
      device: this.device,
      kernels: this.steps.length,
      peakBytes: this.peakBytes,
      footprintBytes: this.footprintBytes,
      macs: this.macs,
      ms: this.ms,
      steps: this.steps,
    };
  }
}

/**
 * The schedule of what `targets` still need, without running it.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2]);
 * explain(x.mul(x).sum()).steps.map((step) => step.op); // ["mul", "sum"]
 * ```
 */
export function explain(...targets: Tensor[]): Explanation {
  targets.forEach((t, i) => checkTensor("explain", `argument ${i}`, t));
  return new Explanation(getDevice().name, [...stepsOf(targets).values()]);
}

/** The steps by the tensors that they compute, in the order in which `realize` takes them. */
function stepsOf(targets: readonly Tensor[]): Map<Tensor, Step> {
  const schedule = dependencies(targets, isRealized);
  const usesLeft = new Map<Tensor, number>();
  for (const t of schedule) for (const x of t.recipe?.inputs ?? []) usesLeft.set(x, (usesLeft.get(x) ?? 0) + 1);

  // The same memory rule as `realize`: leaves are uploaded before their first use, intermediates freed after their last.
  const asked = new Set(targets);
  const live = new Set<Tensor>();
  let liveBytes = 0;
  const ids = new Map<Tensor, number>();
  const arrive = (t: Tensor): void => {
    if (!ids.has(t)) ids.set(t, ids.size + 1);
    if (live.has(t)) return;
    live.add(t);
    liveBytes += bytesOf(t);
  };
  const steps = new Map<Tensor, Step>();
  for (const t of schedule) {
    if (!t.recipe) continue;
    const { op, inputs, attrs } = t.recipe;
    inputs.forEach(arrive);
    arrive(t);
    const step: Step = {
      id: ids.get(t)!,
      op: op.name,
      attrs: { ...attrs },
      inputs: inputs.map((x) => ({ id: ids.get(x)!, shape: x.shape, leaf: x.recipe === null || isRealized(x) })),
      shape: t.shape,
      dtype: t.dtype,
      bytes: bytesOf(t),
      liveBytes,
      macs: macsOf(t, t.recipe),
      target: asked.has(t),
    };
    for (const x of inputs) {
      const left = usesLeft.get(x)! - 1;
      usesLeft.set(x, left);
      if (left === 0 && !asked.has(x) && live.delete(x)) liveBytes -= bytesOf(x);
    }
    steps.set(t, step);
  }
  return steps;
}

/** Runs `targets` as `realize` does and resolves to the schedule with the time of each kernel. */
export async function profile(...targets: Tensor[]): Promise<Explanation> {
  targets.forEach((t, i) => checkTensor("profile", `argument ${i}`, t));
  const steps = stepsOf(targets);
  const { name, footprint } = getDevice();
  const explanation = new Explanation(name, [...steps.values()]);
  footprint?.resetPeak();
  await realizeWith((t, ms) => {
    const step = steps.get(t);
    if (step) step.ms = ms;
  }, targets);
  explanation.footprintBytes = footprint?.peakBytes;
  return explanation;
}

function bytesOf(t: Tensor): number {
  return t.size * bytesPerElement[t.dtype];
}
