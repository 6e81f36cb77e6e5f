/**
 * @file What a long command shows of itself: a bar on a terminal; elsewhere, as in a log file, a line now and then.
 */

import cliProgress from "cli-progress";

import type { Io } from "./io.ts";

/** Lines in a log for one count from start to end, and the longest silence. */
const lines = 20;
const silenceMs = 15_000;

/** How fast something is counted from `done` to `total`, and when it is worth a line in a log. */
export class Pace {
  readonly #total: number;
  readonly #unit: string;
  readonly #start = performance.now();
  #first: number;
  #lastLine = { at: this.#start, part: 0 };

  /** @param unit - what is counted, for the rate: "steps". */
  constructor(done: number, total: number, unit: string) {
    this.#first = done;
    this.#total = total;
    this.#unit = unit;
    this.#lastLine.part = this.#partOf(done);
  }

  /** Counts that came without work, such as steps that were done before. */
  skip(count: number): void {
    this.#first += count;
  }

  /** `2.00 steps/s  0:10 elapsed, 3:10 left` */
  text(done: number): string {
    const elapsed = performance.now() - this.#start;
    const rate = ((done - this.#first) / elapsed) * 1000;
    const left = rate > 0 ? ((this.#total - done) / rate) * 1000 : NaN;
    return `${formatRate(rate)} ${this.#unit}/s  ${formatTime(elapsed)} elapsed, ${formatTime(left)} left`;
  }

  /** True a few times on the way, and after a silence. */
  isDue(done: number): boolean {
    const part = this.#partOf(done);
    const now = performance.now();
    if (part === this.#lastLine.part && now - this.#lastLine.at < silenceMs) return false;
    this.#lastLine = { at: now, part };
    return true;
  }

  #partOf(done: number): number {
    return Math.floor((done / this.#total) * lines);
  }
}

/** Counts from `done` to `total`. */
export class Progress {
  readonly #io: Io;
  readonly #label: string;
  readonly #total: number;
  readonly #pace: Pace;
  readonly #bar: cliProgress.SingleBar | null;

  /** @param unit - what is counted, for the rate: "steps". */
  constructor(io: Io, label: string, done: number, total: number, unit: string) {
    this.#io = io;
    this.#label = label;
    this.#total = total;
    this.#pace = new Pace(done, total, unit);
    this.#bar = io.terminal && this.#openBar(io.terminal, done);
  }

  /** @param details - such as the loss. */
  update(done: number, details = ""): void {
    if (this.#bar) {
      this.#bar.update(done, { details, pace: this.#pace.text(done) });
    } else if (this.#pace.isDue(done)) {
      const texts = [`${this.#label} ${done}/${this.#total}`, details, this.#pace.text(done)];
      this.#io.note(texts.filter((text) => text !== "").join("  "));
    }
  }

  /** Ends the bar's line. */
  stop(): void {
    this.#bar?.stop();
  }

  #openBar(stream: NodeJS.WriteStream, done: number): cliProgress.SingleBar {
    const bar = new cliProgress.SingleBar({ stream, format: `${this.#label} ${barFormat}`, ...barOptions });
    bar.start(this.#total, done, { details: "", pace: "" });
    return bar;
  }
}

/** What follows a bar's label. */
export const barFormat = "{value}/{total} [{bar}] {details}  {pace}";

export const barOptions = {
  barsize: 24, // with everything beside it, a line stays below 100 characters
  hideCursor: true,
};

/** Three digits. */
function formatRate(rate: number): string {
  return rate >= 100 ? rate.toFixed(0) : rate.toPrecision(3);
}

/** 65,000 as "1:05". */
export function formatTime(ms: number): string {
  if (!Number.isFinite(ms)) return "?";
  const seconds = Math.round(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
