/** @file `npm start`: the toy task with two upsamplers, shortened to a few minutes on two cores. */

import { Command } from "commander";

import { compareUpsamplers } from "./compareUpsamplers.ts";
import type { Io } from "./io.ts";
import { deviceOption, integerOption } from "./options.ts";
import { runProcess } from "./process.ts";
import { printsTo, runProgram } from "./program.ts";

/** Of the full 400 steps, as many as two runs with their evaluations can take in about two minutes on the plain loops. */
const fewSteps = 80;

function startCommand(io: Io): Command {
  return printsTo(io, new Command("npm start --"))
    .description("Train the toy network with bilinear upsampling and with DySample, and compare them.")
    .addOption(deviceOption())
    .addOption(integerOption("--steps <n>", `training steps of each (${fewSteps})`))
    .addHelpText("after", "\nExample:\n  npm start -- --device gpu")
    .action(async ({ device, steps = fewSteps }: { device?: string; steps?: number }) => {
      io.exitCode = await compareUpsamplers(io, { steps, device });
    });
}

await runProcess((io) => {
  const fromNpm = { ...io, program: "npm run -s gridgrad --" }; // as the other commands are called where npm start is
  return runProgram(startCommand(fromNpm), process.argv.slice(2), fromNpm);
});
