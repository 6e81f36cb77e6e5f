/** @file `npm start`: the full toy task with three upsamplers, about a minute on two cores. */

import { resolveConfig } from "@gridgrad/dysample";
import { Command } from "commander";

import { startComparison } from "./startComparison.ts";
import type { Io } from "./io.ts";
import { deviceOption, integerOption } from "./options.ts";
import { runProcess } from "./process.ts";
import { printsTo, runProgram } from "./program.ts";

function startCommand(io: Io): Command {
  return printsTo(io, new Command("npm start --"))
    .description("Train the toy network with nearest and bilinear upsampling and with DySample, and compare them.")
    .addOption(deviceOption())
    .addOption(integerOption("--steps <n>", `training steps of each (${resolveConfig().steps})`))
    .addHelpText("after", "\nExample:\n  npm start -- --steps 80")
    .action(async (given: { device?: string; steps?: number }) => {
      io.exitCode = await startComparison(io, given);
    });
}

await runProcess((io) => {
  io.program = "npm run -s gridgrad --"; // as the other commands are called where npm start is
  return runProgram(startCommand(io), process.argv.slice(2), io);
});
