/**
 * @file A contestant's process, for all that run in Node:
 *
 *     node .../scripts/run.mjs contestantProcess.ts NAME THREADS
 */

import { openGridgrad } from "./gridgradContestant.ts";
import { openJax } from "./jaxContestant.ts";
import { openMachine } from "./machineContestant.ts";
import { openOnnx } from "./onnxContestant.ts";
import { serve } from "./serve.ts";
import type { Contestant } from "./task.ts";
import { openTfjs } from "./tfjsContestant.ts";

const [name, threadsText] = process.argv.slice(2);

await serve((): Promise<Contestant> => {
  const threads = Number(threadsText);
  if (name.startsWith("gridgrad:")) return openGridgrad(name.slice("gridgrad:".length));
  switch (name) {
    case "jax-js":
      return openJax(threads);
    case "machine":
      return openMachine(threads);
    case "onnxruntime":
      return openOnnx(threads);
    case "tfjs-wasm":
      return openTfjs("wasm");
    case "tfjs-cpu":
      return openTfjs("cpu");
    default:
      throw new Error(`internal: contestantProcess: no such contestant: ${name}`);
  }
});
