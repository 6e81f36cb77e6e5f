/** @file The process of one training run: it is told what to train by its parent, see startRun.ts, and never outlives it. */

import { OutOfMemoryError } from "@gridgrad/core";
import { ConfigError, DivergedError } from "@gridgrad/dysample";
import { RunFolder } from "@gridgrad/dysample/internal/node";
import {
  FolderInUseError,
  resume,
  RunFolderError,
  train,
  type TrainHooks,
  TrainingError,
} from "@gridgrad/dysample/node";
import { FileError } from "@gridgrad/nn/node";

import { leaveTerminalToParent } from "./sourceProcess.ts";
import type { RunOrder, RunOutcome, RunReport, RunRequest } from "./startRun.ts";

/** When a comparison is killed, its runs end after the step that is under way. One that goes on with them waits for that. */
const patienceMs = 30_000;

/** Errors that say all in one line. All others keep their stack. */
const kindsTold = [
  TrainingError,
  ConfigError,
  RunFolderError,
  FolderInUseError,
  FileError,
  OutOfMemoryError,
  DivergedError,
];

const stop = new AbortController();

leaveTerminalToParent();
process.on("SIGTERM", () => stop.abort());
process.on("disconnect", () => stop.abort()); // the parent is gone: nobody else could stop this run
process.on("message", (request: RunRequest) => {
  if (request.type === "stop") stop.abort();
  else void run(request.order).then((outcome) => report({ type: "outcome", outcome }, () => process.disconnect?.()));
});

async function run({ config, path }: RunOrder): Promise<RunOutcome> {
  const hooks: TrainHooks = {
    signal: stop.signal,
    onStart: (_config, done) => report({ type: "start", done }),
    onStep: ({ step, loss }) => report({ type: "progress", step, steps: config.steps, loss }),
    onEvaluated: (images) => report({ type: "evaluated", images }),
    onCheckpoint: (step) => report({ type: "checkpoint", step }),
  };
  try {
    const begun = new RunFolder(path).has("config");
    const outcome = await (begun
      ? resume(path, config, hooks, { patienceMs })
      : train(config, path, hooks, { patienceMs }));
    return outcome.status === "complete" ? { status: "complete" } : outcome;
  } catch (error) {
    const told = kindsTold.some((kind) => error instanceof kind);
    const message = error instanceof Error ? ((told ? undefined : error.stack) ?? error.message) : String(error);
    return { status: "failed", message, retry: false };
  }
}

function report(message: RunReport, sent = () => {}): void {
  if (process.connected) process.send!(message, undefined, undefined, sent);
}
