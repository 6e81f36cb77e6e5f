/** @file `gridgrad gradcheck`: autograd against finite differences, in float64, gradients and gradients of gradients. */

import { Random, suggest } from "@gridgrad/core";
import { compareGradients, type GradientCheck } from "@gridgrad/core/testing/checkGradients";
import { gradientTolerance } from "@gridgrad/core/testing/tolerance";
import { Command } from "commander";

import { gradcheckCases } from "./gradcheckCases.ts";
import type { Io } from "./io.ts";
import { seedOption } from "./options.ts";
import { table } from "./table.ts";
import { UsageError } from "./userError.ts";

export function gradcheckCommand(io: Io): Command {
  return new Command("gradcheck")
    .description("Compare the gradients of upsamplers and ops with finite differences, first and second order.")
    .argument("[name...]", "upsamplers and ops (all of them)")
    .addOption(seedOption())
    .addHelpText(
      "after",
      `
Names: ${Object.keys(gradcheckCases).join(", ")}

Examples:
  ${io.program} gradcheck
  ${io.program} gradcheck dysample gridSample --seed 7`,
    )
    .action((names: string[], options: { seed?: number }) => runGradcheck(io, names, options));
}

async function runGradcheck(io: Io, given: string[], { seed = 0 }: { seed?: number }): Promise<void> {
  const known = Object.keys(gradcheckCases);
  for (const name of given) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    throw new UsageError(`gradcheck knows ${known.join(", ")}, got ${name}${near ? `. Did you mean ${near}?` : ""}`);
  }
  const rows: string[][] = [];
  let failed = 0;
  for (const name of given.length > 0 ? given : known) {
    const { f, inputs } = await gradcheckCases[name](new Random(seed));
    const checks = await compareGradients(f, inputs, { order: 2, seed });
    const errors = [1, 2].map((order) => largestError(checks.filter((check) => check.order === order)));
    const ok = errors.every((error) => error <= gradientTolerance); // NaN is not
    if (!ok) failed++;
    rows.push([name, String(inputs.length), ...errors.map((error) => error.toExponential(1)), ok ? "ok" : "FAILED"]);
  }
  io.out(table(["name", "inputs", "first order", "second order", ""], rows));
  io.out(
    `\n${rows.length - failed} passed, ${failed} failed; largest errors, limit ${gradientTolerance.toExponential(1)} ` +
      `of the gradient or of 1, float64, seed ${seed}`,
  );
  if (failed > 0) io.exitCode = 1;
}

function largestError(checks: readonly GradientCheck[]): number {
  return Math.max(...checks.map(({ error }) => error));
}
