/**
 * @file Times one line: checks that all contestants agree, then lets them take turns, so that what else the machine does hits them
 * alike. Between two turns everybody sleeps.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";

import { summarize, type Summary } from "../statistics.ts";
import { checkAgreement, DisagreementError } from "./agreement.ts";
import type { Child } from "./child.ts";
import type { Line } from "./lines.ts";
import { readTensors, writeTensors } from "./protocol.ts";
import { elements, type HostTensors } from "./task.ts";

/** A contestant's figures on one line. */
export interface Figures extends Summary {
  readonly contestant: string;
  /** Time on the processors, of all threads, over the time that passed: how many cores it kept busy. */
  readonly coresBusy: number;
  /** Cores that something else kept busy meanwhile: then the figures are worth little. */
  readonly coresOfOthers: number;
  /** The largest difference from the first contestant, relative to the largest value. */
  readonly difference: number;
}

export interface TimedLine {
  readonly figures: readonly Figures[];
  /** Contestants that have no such thing, in their own words. */
  readonly lacking: readonly { readonly contestant: string; readonly why: string }[];
  /** Inputs read once and results written once. */
  readonly bytes: number;
}

/** Between two turns, ms: threads that look for work give up and sleep. */
const pause = 20;

/** Turns that a contestant has at least, unless it is slow. */
const leastTurns = 3;

/** Times its share of seconds: a contestant that has taken so long has no further turn. */
const mostShares = 3;

/** A first run of so many ms was warm-up enough. */
const longRun = 3000;

/**
 * @param children - the first one is whose results the others are held to.
 * @param seconds - that each contestant runs for, about.
 * @throws {DisagreementError} when two contestants give different results.
 */
export async function timeLine(line: Line, children: readonly Child[], seconds: number): Promise<TimedLine> {
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-bench-"));
  const turns: Turns[] = [];
  try {
    const lacking: { contestant: string; why: string }[] = [];
    const inputs = await line.inputs();
    const files = writeTensors(folder, "in", inputs);
    let wanted: HostTensors | null = null;
    const disagreements: string[] = [];
    for (const child of children) {
      const start = performance.now();
      const answer = await child.ask({ do: "prepare", task: line.task, inputs: files, folder });
      if (answer.lacks !== undefined) {
        lacking.push({ contestant: child.name, why: answer.lacks });
        continue;
      }
      turns.push(new Turns(child, performance.now() - start < longRun));
      const outputs = readTensors(answer.outputs!);
      wanted ??= outputs;
      if (outputs === wanted && Object.keys(outputs).length === 0) continue; // copying memory, say, has no result
      const { title, tolerance, optional } = line;
      const comparison = { title, peer: child.name, against: turns[0].child.name, tolerance, optional };
      try {
        turns.at(-1)!.difference = checkAgreement(outputs, wanted, comparison);
      } catch (error) {
        if (!(error instanceof DisagreementError)) throw error;
        disagreements.push(error.message);
      }
    }
    // All of them: where several peers differ from the first contestant, it is the one that is wrong.
    if (disagreements.length > 0) throw new DisagreementError(disagreements.join("\n"));
    for (const { child, cold } of turns) if (cold) await child.ask({ do: "run", ms: 300, least: 2 });
    const turnMs = (seconds * 1000) / 10; // ten turns or so
    for (let round = 0; ; round++) {
      const open = turns.filter(({ count, spentMs }) => {
        return spentMs < seconds * 1000 || (count < leastTurns && spentMs < mostShares * seconds * 1000);
      });
      if (open.length === 0) break;
      for (let i = 0; i < open.length; i++) await open[(i + round) % open.length].take(turnMs); // nobody always follows the same
    }
    const values = [...Object.values(inputs), ...Object.values(wanted ?? {})];
    const bytes = 4 * values.reduce((sum, tensor) => sum + elements(tensor), 0);
    return { figures: turns.map((each) => each.figures()), lacking, bytes };
  } finally {
    for (const { child } of turns) await child.ask({ do: "release" }).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One contestant's turns. */
class Turns {
  readonly child: Child;
  /** Whether compilers and caches have yet to warm up. */
  readonly cold: boolean;
  difference = 0;
  count = 0;
  spentMs = 0;
  readonly #times: number[] = [];
  #cpuMs = 0;
  #othersMs = 0;

  constructor(child: Child, cold: boolean) {
    this.child = child;
    this.cold = cold;
  }

  async take(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const before = busyMs();
    const start = performance.now();
    const answer = await this.child.ask({ do: "run", ms, least: 1 });
    this.spentMs += performance.now() - start;
    this.#othersMs += busyMs() - before - answer.cpuMs!;
    this.#cpuMs += answer.cpuMs!;
    this.#times.push(...answer.ms!);
    this.count++;
  }

  figures(): Figures {
    return {
      contestant: this.child.name,
      ...summarize(this.#times),
      coresBusy: this.#cpuMs / this.spentMs,
      coresOfOthers: Math.max(0, this.#othersMs / this.spentMs), // the system counts in steps of 10 ms
      difference: this.difference,
    };
  }
}

/** Time that the machine's cores have worked since it started, ms. */
function busyMs(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}
