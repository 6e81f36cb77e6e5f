/**
 * @file Command lines, and commands on damaged folders: how they end, what they say, and that they leave alone what is not theirs.
 * Everything runs after Ctrl-C: what would train or wait stops as soon as it can.
 */

import { basename, dirname, join } from "node:path";

import { type CommandResult, runInterrupted } from "@gridgrad/lab/testing/runCommand";

import { checkPrototypes } from "../checkRefusal.ts";
import { type Draw, once, pick } from "../draw.ts";
import { type Kind, Wrong } from "../kind.ts";
import { checkCommand } from "./checkCommand.ts";
import { damage } from "./damage.ts";
import { drawArguments, readGrammar } from "./drawArguments.ts";
import { makeSandbox, type Sandbox, within } from "./sandbox.ts";

/** Files of the folders, and commands that read them. */
const folders: Readonly<Record<string, { files: readonly string[]; commands: readonly (readonly string[])[] }>> = {
  "a-run": {
    files: ["config.json", "result.json", "metrics.jsonl", "weights.safetensors", "checkpoint.safetensors", "halfway.safetensors", ".lock"],
    commands: [["train", "--resume", "a-run"], ["eval", "a-run", "--eval-images", "1", "--device", "reference"]],
  },
  "a-stopped-run": {
    files: ["config.json", "metrics.jsonl", "checkpoint.safetensors", "halfway.safetensors", ".lock"],
    commands: [["train", "--resume", "a-stopped-run"], ["eval", "a-stopped-run", "--eval-images", "1", "--device", "reference"]],
  },
  "a-comparison": {
    files: ["compare.json", "measurements.json", "results.json", ".lock"],
    commands: [
      ["compare", "--resume", "a-comparison"],
      ["compare", "--out", "a-comparison", "--overwrite", "--upsamplers", "nearest", "--steps", "1", "--device", "reference"],
    ],
  },
}; // prettier-ignore

export interface CommandsOptions {
  /** Runs a command line, from the current folder. */
  readonly run?: (...args: string[]) => Promise<CommandResult>;
  /** Puts runs and a comparison into the current folder. */
  readonly fill?: () => Promise<void>;
}

export function commandsKind({ run = runInterrupted, fill }: CommandsOptions = {}): Kind {
  let opened: Promise<{ sandbox: Sandbox; grammar: Awaited<ReturnType<typeof readGrammar>> }> | null = null;
  const open = async (): Promise<{ sandbox: Sandbox; grammar: Awaited<ReturnType<typeof readGrammar>> }> => ({
    sandbox: await makeSandbox(fill),
    grammar: await readGrammar(),
  });
  return {
    name: "commands",
    unit: "command lines",
    share: 3,
    mostTries: 60, // each takes a tenth of a second

    async check(draw) {
      const { sandbox, grammar } = await (opened ??= open());
      sandbox.reset();
      const { args, input, file } = once(draw, 2) ? drawDamaged(draw, sandbox.work) : drawLine(draw, grammar);
      const result = await within(sandbox.work, () => run(...args));
      const what = args[0] ?? "gridgrad";
      checkPrototypes(what, input);
      const harm = sandbox.harm();
      if (harm !== null) throw new Wrong(`${what}: harms what is not its own`, harm, input);
      checkCommand(what, result, input);
      if (result.code === 0 && /\bNaN\b|\bundefined\b|\[object /.test(result.out)) {
        if (!file?.endsWith(".safetensors")) throw new Wrong(`${what}: prints what is no result`, result.out, input); // whose numbers may be any
      }
      const names = file === null ? [] : [basename(file), dirname(file)];
      if (file !== null && result.code === 1 && !names.some((name) => `${result.err}${result.out}`.includes(name))) {
        throw new Wrong(`${what}: an error that names no file, for ${basename(file)}`, result.err, input);
      }
    },

    async close() {
      if (opened) (await opened).sandbox.close();
    },
  };
}

interface Drawn {
  readonly args: readonly string[];
  /** For people. */
  readonly input: string;
  /** What is damaged. */
  readonly file: string | null;
}

function drawLine(draw: Draw, grammar: Parameters<typeof drawArguments>[1]): Drawn {
  const args = drawArguments(draw, grammar);
  return { args, input: shown(args), file: null };
}

function drawDamaged(draw: Draw, work: string): Drawn {
  const folder = pick(draw, Object.keys(folders));
  const { files, commands } = folders[folder];
  const file = join(folder, pick(draw, files));
  const what = damage(draw, join(work, file));
  const args = pick(draw, commands);
  return { args, input: `${shown(args)}, where ${file} ${what}`, file };
}

function shown(args: readonly string[]): string {
  return `gridgrad ${args.map((arg) => (/^[\w./,:-]+$/.test(arg) ? arg : JSON.stringify(arg))).join(" ")}`;
}
