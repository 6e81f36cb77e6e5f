/** @file The options of `npm run fuzz`. */

import { parseArgs } from "node:util";

import { choices } from "./allKinds.ts";

export interface Options {
  readonly seconds?: number;
  readonly cases?: number;
  readonly seed: number;
  readonly from?: number;
  readonly path?: string;
  readonly only: readonly string[];
  readonly warn: boolean;
}

export const help = `npm run fuzz -- [options]

  --seconds <n>   time to spend (60, unless --cases or --case is given)
  --seed <n>      what the cases follow from (another one each time)
  --only <names>  ${choices.join(", ")}; several with commas
  --cases <n>     cases of each kind
  --case <n>      this case alone; with --path <p> a smaller one that came from it
  --warn          findings are warnings, and the exit code is 0`;

/** @throws {Error} that says what is wrong with the command line. */
export function readOptions(args: readonly string[], newSeed: () => number): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string" },
      cases: { type: "string" },
      case: { type: "string" },
      path: { type: "string" },
      seed: { type: "string" },
      only: { type: "string" },
      warn: { type: "boolean", default: false },
    },
  });
  const whole = (option: "seconds" | "cases" | "case" | "seed", least: number): number | undefined => {
    const text = values[option];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new Error(`--${option} must be a whole number of at least ${least}, got ${JSON.stringify(text)}`);
  };
  const one = whole("case", 0);
  const cases = one === undefined ? whole("cases", 1) : 1;
  const only = values.only?.split(",") ?? [];
  const unknown = only.find((name) => !choices.includes(name));
  if (unknown !== undefined) throw new Error(`--only must name ${choices.join(", ")}, got ${JSON.stringify(unknown)}`);
  if (values.path !== undefined && (one === undefined || only.length !== 1)) {
    throw new Error("--path leads on from one case: name it with --only and --case");
  }
  return {
    seconds: whole("seconds", 1) ?? (cases === undefined ? 60 : undefined),
    cases,
    seed: whole("seed", 0) ?? newSeed(),
    from: one,
    path: values.path,
    only,
    warn: values.warn,
  };
}
