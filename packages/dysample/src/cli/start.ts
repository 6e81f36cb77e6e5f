/** @file `npm start`: the toy task with two upsamplers, shortened to a few minutes on two cores. */

import { compareUpsamplers } from "./compareUpsamplers.ts";
import { runProcess } from "./process.ts";
import { reportError } from "./program.ts";

/** Of the full 400 steps, as many as two runs with their evaluations can take in about two minutes on the plain loops. */
const steps = 80;

await runProcess(async (io) => {
  try {
    return await compareUpsamplers(io, { steps });
  } catch (error) {
    return reportError(error, io);
  }
});
