/**
 * @file Ctrl-C in two steps: the first one asks to stop, the second one ends the process at once.
 */

import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM"] as const;

/**
 * Within this time signals are one request: npm hands on to its script the Ctrl-C that the terminal has sent to both, and what
 * arrives while a kernel runs is delivered together.
 */
const oneRequestMs = 1000;

/**
 * Listens for SIGINT and SIGTERM from now on.
 *
 * @param onFirst - called with the first, when the signal is aborted.
 */
export function interruptSignal(onFirst: () => void): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  for (const name of signals) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        first = performance.now();
        controller.abort();
        onFirst();
      } else if (performance.now() - first > oneRequestMs) {
        process.exit(128 + constants.signals[name]);
      }
    });
  }
  return controller.signal;
}
