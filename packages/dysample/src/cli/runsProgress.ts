/**
 * @file The progress of several runs at once. On a terminal there is a bar for all of them together, with the time that is left, and one for
 * each run that is under way; elsewhere a line now and then, and one for each run that ends.
 */

import cliProgress from "cli-progress";

import type { Run } from "../compare/comparison.ts";
import type { PoolEvents } from "../compare/runPool.ts";
import type { Io } from "./io.ts";
import { barFormat, barOptions, Pace } from "./progress.ts";

export class RunsProgress {
  readonly #io: Io;
  readonly #total: number;
  readonly #runs: number;
  readonly #width: number;
  readonly #pace: Pace;
  readonly #stepsOf = new Map<string, number>();
  readonly #bars: cliProgress.MultiBar | null = null;
  readonly #all: cliProgress.SingleBar | null = null;
  readonly #barOf = new Map<string, cliProgress.SingleBar>();
  #ended = 0;

  /** @param runs - those that are to be trained. */
  constructor(io: Io, runs: readonly Run[]) {
    this.#io = io;
    this.#runs = runs.length;
    this.#total = runs.reduce((total, { config }) => total + config.steps, 0);
    this.#width = Math.max("all runs".length, ...runs.map(({ id }) => id.length));
    this.#pace = new Pace(0, this.#total, "steps");
    if (io.terminal) {
      const format = `{label} ${barFormat}`;
      this.#bars = new cliProgress.MultiBar({ stream: io.terminal, format, clearOnComplete: true, ...barOptions });
      this.#all = this.#bars.create(this.#total, 0, this.#payload("all runs"));
    }
  }

  /** What the pool tells, shown. */
  readonly events: PoolEvents = {
    onStart: (run, done) => {
      this.#pace.skip(done - this.#steps(run));
      this.#stepsOf.set(run.id, done);
      if (!this.#barOf.has(run.id) && this.#bars) {
        this.#barOf.set(run.id, this.#bars.create(run.config.steps, done, this.#payload(run.id)));
      }
    },
    onProgress: (run, { step, loss }) => {
      this.#stepsOf.set(run.id, step);
      this.#barOf.get(run.id)?.update(step, { details: `loss ${loss.toFixed(4)}` });
      this.#showAll();
    },
    onEvaluated: (run, images) => {
      this.#barOf.get(run.id)?.update({ details: `evaluation ${images}/${run.config.evalImages}` });
    },
    onRetry: (run, message) => this.note(`${run.id}: ${message}; trying once more from its checkpoint`),
    onEnd: (run, outcome) => {
      this.#ended++;
      const bar = this.#barOf.get(run.id);
      if (bar) this.#bars!.remove(bar);
      this.#barOf.delete(run.id);
      const { status } = outcome;
      if (status === "failed") this.note(`${run.id} failed: ${outcome.message}`);
      else this.note(`${run.id} ${status === "complete" ? "is complete" : `stopped after step ${outcome.step}`}`);
      this.#showAll();
    },
  };

  /** A line of text, above the bars if there are any. */
  note(line: string): void {
    if (this.#bars) this.#bars.log(`${line}\n`);
    else this.#io.note(line);
  }

  /** Ends the bars. */
  stop(): void {
    this.#bars?.update(); // lines that wait for it are written
    this.#bars?.stop();
  }

  #showAll(): void {
    const done = [...this.#stepsOf.values()].reduce((total, steps) => total + steps, 0);
    const details = `${this.#ended} of ${this.#runs} runs`;
    const pace = this.#pace.text(done);
    if (this.#all) this.#all.update(done, { details, pace });
    else if (this.#pace.isDue(done)) this.#io.note(`step ${done}/${this.#total}  ${details}  ${pace}`);
  }

  #steps({ id }: Run): number {
    return this.#stepsOf.get(id) ?? 0;
  }

  #payload(label: string): object {
    return { label: label.padEnd(this.#width), details: "", pace: "" };
  }
}
