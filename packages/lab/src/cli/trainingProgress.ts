/** @file The progress of a training run: its steps, and then its evaluation. */

import type { TrainConfig } from "@gridgrad/dysample";
import type { TrainHooks } from "@gridgrad/dysample/node";

import type { Interruption } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { Progress } from "./progress.ts";

/** Hooks that show progress, and let the run be interrupted once it has begun; `stop` ends the line of a bar that is being drawn. */
export function trainingProgress(io: Io, { signal, listen }: Interruption): { hooks: TrainHooks; stop: () => void } {
  let progress: Progress | null = null;
  let config: TrainConfig;
  let evaluating = false;
  const begin = (next: Progress): void => {
    progress?.stop();
    progress = next;
  };
  const hooks: TrainHooks = {
    signal,
    onStart(started, done) {
      listen();
      config = started;
      begin(new Progress(io, "step", done, config.steps, "steps"));
    },
    onStep: ({ step, loss }) => progress?.update(step, `loss ${loss.toFixed(4)}`),
    onEvaluated(images) {
      if (!evaluating) begin(new Progress(io, "evaluation", 0, config.evalImages, "pictures"));
      evaluating = true;
      progress?.update(images);
    },
  };
  return { hooks, stop: () => progress?.stop() };
}
