/**
 * @file Validation pictures in batches. Between two batches the event loop turns, so that progress is drawn and Ctrl-C arrives
 * although kernels keep the processor busy.
 */

import type { OnEvaluated } from "./task.ts";

/** Pictures that are evaluated at once. */
const batch = 16;

/** Calls `evaluate` with each batch of pictures 0 .. `images` - 1, and `onEvaluated` after each. */
export async function validationBatches(
  images: number,
  onEvaluated: OnEvaluated | undefined,
  evaluate: (start: number, count: number) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < images; start += batch) {
    const count = Math.min(batch, images - start);
    await evaluate(start, count);
    await new Promise((turned) => setTimeout(turned, 0));
    await onEvaluated?.(start + count);
  }
}
