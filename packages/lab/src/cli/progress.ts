/**
 * @file What a long command shows of itself: a bar on a terminal; elsewhere, as in a log file, a line now and then.
 */

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
  #stopped = false;

  /** @param unit - what is counted, for the rate: "steps". */
  constructor(io: Io, label: string, done: number, total: number, unit: string) {
    this.#io = io;
    this.#label = label;
    this.#total = total;
    this.#pace = new Pace(done, total, unit);
    this.#show(done, "", "");
  }

  /** @param details - such as the loss. */
  update(done: number, details = ""): void {
    if (this.#io.terminal) this.#show(done, details, this.#pace.text(done));
    else if (this.#pace.isDue(done)) {
      const texts = [`${this.#label} ${done}/${this.#total}`, details, this.#pace.text(done)];
      this.#io.note(texts.filter((text) => text !== "").join("  "));
    }
  }

  /** Ends the bar, which stays on its line. */
  stop(): void {
    if (!this.#stopped) this.#io.terminal?.keep();
    this.#stopped = true;
  }

  #show(done: number, details: string, pace: string): void {
    const bar: Bar = { label: this.#label, done, total: this.#total, details, pace };
    this.#io.terminal?.show((columns) => [drawBar(bar, columns)]);
  }
}

export interface Bar {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Such as the loss. */
  readonly details: string;
  /** From `Pace`. */
  readonly pace: string;
}

/** Characters of a bar between its brackets: with everything beside it, a line stays below 100. Shorter ones tell nothing. */
const [barSize, leastBarSize] = [24, 8];

/** `step 2/4 [============------------] loss 0.5000  2.00 steps/s`; what is missing in width the bar does without. */
export function drawBar({ label, done, total, details, pace }: Bar, columns: number): string {
  const count = `${label} ${done}/${total}`;
  const rest = [details, pace].filter((text) => text !== "").join("  ");
  const size = Math.min(barSize, columns - 1 - `${count} [] ${rest}`.length);
  if (size < leastBarSize) return `${count} ${rest}`;
  const full = Math.round((total > 0 ? done / total : 1) * size);
  return `${count} [${"=".repeat(full)}${"-".repeat(size - full)}] ${rest}`;
}

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
