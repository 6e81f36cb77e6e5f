/**
 * @file What a long command shows of itself: a bar on a terminal; elsewhere, as in a log file, a line now and then.
 */

import cliProgress from "cli-progress";

import type { Io } from "./io.ts";

/** Lines in a log for one count from start to end, and the longest silence. */
const lines = 20;
const silenceMs = 15_000;

/** Counts from `done` to `total`. */
export class Progress {
  readonly #io: Io;
  readonly #label: string;
  readonly #first: number;
  readonly #total: number;
  readonly #unit: string;
  readonly #start = performance.now();
  readonly #bar: cliProgress.SingleBar | null;
  #lastLine = { at: this.#start, part: 0 };

  /** @param unit - what is counted, for the rate: "steps". */
  constructor(io: Io, label: string, done: number, total: number, unit: string) {
    this.#io = io;
    this.#label = label;
    this.#first = done;
    this.#total = total;
    this.#unit = unit;
    this.#lastLine.part = Math.floor((done / total) * lines);
    this.#bar = io.terminal && this.#openBar(io.terminal);
  }

  /** @param details - such as the loss. */
  update(done: number, details = ""): void {
    const elapsed = performance.now() - this.#start;
    const rate = ((done - this.#first) / elapsed) * 1000;
    const left = rate > 0 ? ((this.#total - done) / rate) * 1000 : NaN;
    const pace = `${formatRate(rate)} ${this.#unit}/s  ${formatTime(elapsed)} elapsed, ${formatTime(left)} left`;
    if (this.#bar) {
      this.#bar.update(done, { details, pace });
      return;
    }
    const part = Math.floor((done / this.#total) * lines);
    const now = performance.now();
    if (part === this.#lastLine.part && now - this.#lastLine.at < silenceMs) return;
    this.#lastLine = { at: now, part };
    this.#io.note([`${this.#label} ${done}/${this.#total}`, details, pace].filter((text) => text !== "").join("  "));
  }

  /** Ends the bar's line. */
  stop(): void {
    this.#bar?.stop();
  }

  #openBar(stream: NodeJS.WriteStream): cliProgress.SingleBar {
    const bar = new cliProgress.SingleBar({
      stream,
      format: `${this.#label} {value}/{total} [{bar}] {details}  {pace}`,
      barsize: 24, // with everything beside it, a line stays below 100 characters
      hideCursor: true,
    });
    bar.start(this.#total, this.#first, { details: "", pace: "" });
    return bar;
  }
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
