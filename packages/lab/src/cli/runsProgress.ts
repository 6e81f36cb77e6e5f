/**
 * @file The progress of several runs at once. On a terminal there is a bar for all of them together, with the time that is left, and one for
 * each run that is under way; elsewhere a line now and then, and one for each run that ends.
 */

import type { Run } from "../compare/comparison.ts";
import type { PoolEvents } from "../compare/runPool.ts";
import type { Io } from "./io.ts";
import { type Bar, drawBar, Pace } from "./progress.ts";

export class RunsProgress {
  readonly #io: Io;
  readonly #total: number;
  readonly #runs: number;
  readonly #width: number;
  readonly #pace: Pace;
  readonly #stepsOf = new Map<string, number>();
  /** Of the runs under way, by their ids. */
  readonly #barOf = new Map<string, Bar>();
  #ended = 0;

  /** @param runs - those that are to be trained. */
  constructor(io: Io, runs: readonly Run[]) {
    this.#io = io;
    this.#runs = runs.length;
    this.#total = runs.reduce((total, { config }) => total + config.steps, 0);
    this.#width = Math.max("all runs".length, ...runs.map(({ id }) => id.length));
    this.#pace = new Pace(0, this.#total, "steps");
    this.#draw();
  }

  /** What the pool tells, shown. */
  readonly events: PoolEvents = {
    onStart: (run, done) => {
      this.#pace.skip(done - this.#steps(run));
      this.#stepsOf.set(run.id, done);
      if (!this.#barOf.has(run.id)) this.#show(run, { done });
      this.#draw();
    },
    onProgress: (run, { step, loss }) => {
      this.#stepsOf.set(run.id, step);
      this.#show(run, { done: step, details: `loss ${loss.toFixed(4)}` });
      this.#showAll();
    },
    onEvaluated: (run, images) => {
      this.#show(run, { details: `evaluation ${images}/${run.config.evalImages}` });
      this.#draw();
    },
    onRetry: (run, message) => this.#io.note(`${run.id}: ${message}; trying once more from its checkpoint`),
    onEnd: (run, outcome) => {
      this.#ended++;
      this.#barOf.delete(run.id);
      const { status } = outcome;
      if (status === "failed") this.#io.note(`${run.id} failed: ${outcome.message}`);
      else this.#io.note(`${run.id} ${status === "complete" ? "is complete" : `stopped after step ${outcome.step}`}`);
      this.#showAll();
    },
  };

  /** Takes the bars away. */
  stop(): void {
    this.#io.terminal?.clear();
  }

  #showAll(): void {
    const { done, total, details, pace } = this.#all();
    if (this.#io.terminal) this.#draw();
    else if (this.#pace.isDue(done)) this.#io.note(`step ${done}/${total}  ${details}  ${pace}`);
  }

  /** Changes the bar of a run. */
  #show({ id, config }: Run, changes: Partial<Bar>): void {
    const bar = this.#barOf.get(id) ?? { label: id, done: 0, total: config.steps, details: "", pace: "" };
    this.#barOf.set(id, { ...bar, ...changes });
  }

  #all(): Bar {
    const done = [...this.#stepsOf.values()].reduce((total, steps) => total + steps, 0);
    const pace = this.#stepsOf.size > 0 ? this.#pace.text(done) : "";
    return { label: "all runs", done, total: this.#total, details: `${this.#ended} of ${this.#runs} runs`, pace };
  }

  #draw(): void {
    this.#io.terminal?.show((columns) =>
      [this.#all(), ...this.#barOf.values()].map((bar) =>
        drawBar({ ...bar, label: bar.label.padEnd(this.#width) }, columns),
      ),
    );
  }

  #steps({ id }: Run): number {
    return this.#stepsOf.get(id) ?? 0;
  }
}
