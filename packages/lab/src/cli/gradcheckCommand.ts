/** @file `gridgrad gradcheck`: autograd against finite differences, in float64, gradients and gradients of gradients. */

import { Random, suggest } from "@gridgrad/core";
import { compareGradients, type GradientCheck } from "@gridgrad/core/testing/checkGradients";
import { gradientTolerance } from "@gridgrad/core/testing/tolerance";
import type { Command } from "commander";

import { gradcheckCases } from "./gradcheckCases.ts";
import { countsOf } from "./countsOf.ts";
import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";
import { seedOption } from "./options.ts";
import { table } from "./table.ts";
import { UsageError } from "./userError.ts";

export function gradcheckCommand(io: Io): Command {
  return newCommand("gradcheck")
    .argument("[name...]", "upsamplers and ops (all of them)")
    .addOption(seedOption())
    .option("--json", "print all results as JSON")
    .addHelpText(
      "after",
      `
Names: ${Object.keys(gradcheckCases).join(", ")}

Examples:
  ${io.program} gradcheck
  ${io.program} gradcheck dysample gridSample --seed 7`,
    )
    .action((names: string[], options: Options) => runGradcheck(io, names, options));
}

interface Options {
  readonly seed?: number;
  readonly json?: boolean;
}

/** What came out for an op or an upsampler, as `--json` prints it. */
interface Checked {
  readonly name: string;
  /** With the parameters of an upsampler. */
  readonly inputs: number;
  /** Largest errors; NaN is no number, which is null in JSON. */
  readonly firstOrder: number;
  readonly secondOrder: number;
  readonly ok: boolean;
}

async function runGradcheck(io: Io, given: string[], { seed = 0, json = false }: Options): Promise<void> {
  const known = Object.keys(gradcheckCases);
  for (const name of given) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    const hint = near === null ? "" : `did you mean ${near}? `;
    throw new UsageError(`gradcheck: ${hint}${JSON.stringify(name)} must be one of ${known.join(", ")}`);
  }
  const checked: Checked[] = [];
  for (const name of given.length > 0 ? given : known) {
    const { f, inputs } = await gradcheckCases[name](new Random(seed));
    const checks = await compareGradients(f, inputs, { order: 2, seed });
    const errors = [1, 2].map((order) => largestError(checks.filter((check) => check.order === order)));
    const [firstOrder, secondOrder] = errors;
    const ok = errors.every((error) => error <= gradientTolerance); // NaN is not
    checked.push({ name, inputs: inputs.length, firstOrder, secondOrder, ok });
  }
  const failed = checked.filter(({ ok }) => !ok).length;
  const passed = checked.length - failed;
  if (failed > 0) io.exitCode = 1;
  if (json) {
    io.out(JSON.stringify({ seed, limit: gradientTolerance, passed, failed, checks: checked }, null, 2));
    return;
  }
  const paint = io.paint.out;
  const rows = checked.map(({ name, inputs, firstOrder, secondOrder, ok }) => {
    const errors = [firstOrder, secondOrder].map((error) => error.toExponential(1));
    return [name, String(inputs), ...errors, ok ? paint("green", "ok") : paint("red", "FAILED")];
  });
  io.out(table(["name", "inputs", "first order", "second order", ""], rows, paint));
  io.out(
    `\n${countsOf(passed, failed, paint)}; largest errors, limit ${gradientTolerance.toExponential(1)} ` +
      `of the gradient or of 1, float64, seed ${seed}`,
  );
}

function largestError(checks: readonly GradientCheck[]): number {
  return Math.max(...checks.map(({ error }) => error));
}
