/** @file Draws command lines: of each command, with options that it has, and values that these take or do not. */

import { runCommand } from "@gridgrad/lab/testing/runCommand";

import { type Draw, integer, list, once, pick, pickCall } from "../draw.ts";

/** A command and its options, as its help lists them. */
interface Grammar {
  readonly command: string;
  readonly options: readonly {
    readonly flag: string;
    readonly takesValue: boolean;
    readonly names: readonly string[];
  }[];
}

/** Values that options may be given. None of them is the address of a machine. */
const odd = [
  "", " ", "0", "1", "-1", "1.5", "1e3", "NaN", "Infinity", "0x10", "2", "3", "99999999999999999999", "x", "--", "-", "toString", "__proto__",
  "a,b", "0,1", "0,0", "ü", "y".repeat(300), "redis://127.0.0.1:1", "redis://:pa/ss@127.0.0.1:1", "http://x",
]; // prettier-ignore

/** Places that are there, and places that are not. */
const paths = [
  "a-run", "a-stopped-run", "a-comparison", "a-run/weights.safetensors", "a-run/checkpoint.safetensors", "a-run/config.json",
  "a-run/strip.png", "a-comparison/compare.json", "new", "new/deep", "none.png", ".", "", "a-run/notes.txt/x",
]; // prettier-ignore

/** Where results may go: nothing of somebody else's is named. */
const outputs = [
  "new",
  "new/deep",
  "a-run",
  "a-stopped-run",
  "a-comparison",
  "o.png",
  "o.jpg",
  "new/o.png",
  ".",
  "",
  "a-run/config.json/x",
];

/** What a command has to be told besides, so that it does little. */
const little: Readonly<Record<string, readonly string[]>> = {
  train: ["--steps", "1", "--batch", "1", "--eval-images", "1"],
  offsets: ["--steps", "1", "--batch", "1", "--eval-images", "1"],
  compare: ["--steps", "1", "--batch", "1", "--eval-images", "1"],
  eval: ["--eval-images", "1"],
  explain: ["--batch", "1", "--size", "8"],
};

let grammar: Promise<Grammar[]> | null = null;

/** The options of all commands. */
export function readGrammar(): Promise<Grammar[]> {
  return (grammar ??= readHelp());
}

/** Reads them from the help that the command prints. */
async function readHelp(): Promise<Grammar[]> {
  const { out } = await runCommand("--help");
  const commands = [...out.matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, command]) => command)
    .filter((name) => name !== "help");
  return Promise.all(
    commands.map(async (command) => {
      const help = (await runCommand(command, "--help")).out;
      const options = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)( <[^>]*>)?(.*(?:\n {6,}.*)*)/gm)].map(
        ([, flag, value, text]) => ({
          flag,
          takesValue: value !== undefined,
          names: text.match(/\(([^()]*,[^()]*)\)/)?.[1].split(/,\s+/) ?? [],
        }),
      );
      return { command, options: options.filter(({ flag }) => flag !== "--help") };
    }),
  );
}

/** A command line, and the device that it does not choose by itself: loops start no threads. */
export function drawArguments(draw: Draw, grammar: readonly Grammar[]): string[] {
  const { command, options } = pick(draw, grammar);
  const given = list(draw, 0, 3, () => drawOption(draw, options)).flat();
  const more = once(draw, 12) ? [pick(draw, ["--nothing", "-x", "--out", "--no-out", "--steps=", "--"])] : [];
  const all = [command, ...drawPlaces(draw, command), ...given, ...more];
  for (const [k, flag] of (little[command] ?? []).entries()) {
    if (k % 2 === 0 && !all.includes(flag)) all.push(flag, little[command][k + 1]);
  }
  if (options.some(({ flag }) => flag === "--device") && !all.includes("--device")) all.push("--device", "reference");
  return all;
}

/** The arguments that are no options. */
function drawPlaces(draw: Draw, command: string): string[] {
  switch (command) {
    case "eval":
      return list(draw, 0, 2, () => pick(draw, paths));
    case "goldens":
      return list(draw, 0, 1, () => pick(draw, paths));
    case "upsample":
      return [pick(draw, [...paths].reverse()), pick(draw, outputs)].slice(0, integer(draw, 0, 2));
    case "gradcheck":
      return [pick(draw, ["nearest", "nothing", "relu", "__proto__"])]; // without a name it checks everything
    case "train":
      return once(draw, 3) ? ["--resume", pick(draw, paths)] : [];
    case "compare":
      return pickCall<string[]>(draw, [() => ["--upsamplers", "nearest"], () => ["--resume", pick(draw, paths)]]);
    default:
      return once(draw, 6) ? [pick(draw, odd)] : [];
  }
}

function drawOption(draw: Draw, options: Grammar["options"]): string[] {
  if (options.length === 0) return [];
  const { flag, takesValue, names } = pick(draw, options);
  if (!takesValue) return [flag];
  if (once(draw, 8)) return [flag]; // whatever comes next is its value
  if (["--steps", "--bilinear-steps", "--batch", "--eval-images", "--size", "--jobs", "--scale"].includes(flag)) {
    return [flag, pick(draw, ["1", "2", "0", "-1", "1.5", "x", "", "99999999999999999999"])]; // larger ones would be computed
  }
  if (flag === "--out" || flag === "--work") return [flag, pick(draw, outputs)];
  if (["--resume", "--from", "--weights", "--config"].includes(flag)) return [flag, pick(draw, paths)];
  if (flag === "--device") return [flag, pick(draw, ["reference", "cpu", "gpu:webgl2", "nothing"])];
  return [flag, names.length > 0 && once(draw, 2) ? pick(draw, names) : pick(draw, odd)];
}
