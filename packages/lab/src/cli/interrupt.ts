/**
 * @file Ctrl-C in two steps: the first one asks to stop, the second one ends the process at once. A request to end (SIGTERM) and a terminal
 * that goes away (SIGHUP) mean the same.
 */

import { constants } from "node:os";

import type { Io } from "./io.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Within this time signals are one request: npm hands on to its script the Ctrl-C that the terminal has sent to both, and what
 * arrives while a kernel runs is delivered together.
 */
const oneRequestMs = 1000;

/**
 * Listens for these signals from now on.
 *
 * @param onFirst - called with the first, when the signal is aborted.
 * @returns a signal whose reason is the name of the first.
 */
export function interruptSignal(onFirst: () => void): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  for (const name of signals) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        first = performance.now();
        controller.abort(name);
        onFirst();
      } else if (performance.now() - first > oneRequestMs) {
        process.exit(codeOf(name));
      }
    });
  }
  return controller.signal;
}

/** The exit code of a program that such a signal has stopped. */
export function interruptCode({ reason }: AbortSignal): number {
  return codeOf(signals.find((name) => name === reason) ?? "SIGINT");
}

/** What a shell reports for a program that the signal has ended. */
function codeOf(name: (typeof signals)[number]): number {
  return 128 + constants.signals[name];
}

/** Ctrl-C for a command that has nothing to lose at first. */
export interface Interruption {
  /** Aborted when the user asks to stop, from `listen` on. */
  readonly signal: AbortSignal;
  /** From now on there is something to lose: until now, a signal ends the process at once. */
  listen(): void;
}

export function interruptionOf(io: Io): Interruption {
  const stop = new AbortController();
  let listening = false;
  return {
    signal: stop.signal,
    listen() {
      if (listening) return;
      listening = true;
      const asked = io.interrupted();
      const abort = (): void => stop.abort(asked.reason);
      if (asked.aborted) abort();
      else asked.addEventListener("abort", abort);
    },
  };
}
