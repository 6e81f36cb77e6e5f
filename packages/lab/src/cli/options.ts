/** @file Values of options: what is no such value is refused where the command line is read, before anything is done. */

import { deviceNames, suggest } from "@gridgrad/core";
import { taskNames, upsamplerNames } from "@gridgrad/dysample";
import { evalImagesRange, initNames, scaleRange, seedRange } from "@gridgrad/dysample/internal";
import { InvalidArgumentError, Option } from "commander";

import { parseQueueUrl } from "../queue/redisConnection.ts";
import { UsageError } from "./userError.ts";

/** An option whose value is a whole number. */
export function integerOption(flags: string, description: string, least = 1, most = Infinity): Option {
  return new Option(flags, description).argParser((text: string) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most && Number.isSafeInteger(value)) return value;
    const range = most === Infinity ? `of at least ${least}` : `in ${least} .. ${most}`;
    throw new InvalidArgumentError(`It must be an integer ${range}.`);
  });
}

/** An option whose value is the path of a folder. */
export function folderOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string) => {
    if (text !== "") return text;
    throw new InvalidArgumentError("It must be the path of a folder.");
  });
}

/** The option whose value is a file with settings. */
export function configOption(description: string): Option {
  return new Option("--config <file>", description).argParser((text: string) => {
    if (text !== "") return text;
    throw new InvalidArgumentError("It must be the path of a file.");
  });
}

/** An option whose value is a number above 0. */
export function positiveOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string) => {
    const value = Number(text);
    if (text.trim() !== "" && value > 0 && value < Infinity) return value;
    throw new InvalidArgumentError("It must be a number above 0.");
  });
}

/** An option whose value is one of a few names. */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, `${description} (${choices.join(", ")})`).argParser((text: string) => {
    checkName(text, choices);
    return text;
  });
}

/** An option whose value is a list of different names. */
export function listOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).argParser((text: string) => {
    const names = text.split(",");
    for (const name of names) checkName(name, choices, `${JSON.stringify(name)} must be one of`);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw new InvalidArgumentError(`Names must differ from each other, got ${twice} twice.`);
    return names;
  });
}

/** @param rule - what must hold, before the list of names. */
function checkName(name: string, choices: readonly string[], rule = "It must be one of"): void {
  if (choices.includes(name)) return;
  const near = suggest(name, choices);
  const hint = near === null ? "" : ` Did you mean ${near}?`;
  throw new InvalidArgumentError(`${rule} ${choices.join(", ")}.${hint}`);
}

// Options that several commands have.

/** The address of a queue, which may hold a password: the variable, unlike an option, does not show it to all users of the machine. */
const queueVariable = "GRIDGRAD_QUEUE";

export function queueOption(description: string): Option {
  const option = new Option("--queue <url>", `${description}: redis://host:port`).argParser((text: string) => {
    try {
      return parseQueueUrl(text);
    } catch (error) {
      throw new UsageError((error as Error).message); // not InvalidArgumentError, before which Commander puts what was given
    }
  });
  return process.env[queueVariable] === "" ? option : option.env(queueVariable); // empty is as good as unset
}

export function upsamplerOption(): Option {
  return choiceOption("--upsampler <name>", "what upsamples", upsamplerNames);
}

export function taskOption(): Option {
  return choiceOption("--task <name>", "what is learned", taskNames);
}

export function deviceOption(): Option {
  return choiceOption("--device <name>", "what computes", ["auto", ...deviceNames()]);
}

export function dtypeOption(): Option {
  return choiceOption("--dtype <name>", "element type", ["float32", "float64"]);
}

export function groupsOption(): Option {
  return integerOption("--groups <n>", "groups of channels with their own sampling points (4, for pictures 1)");
}

/** @param most - of a network that is trained on pictures of the toy task; other pictures may be larger. */
export function scaleOption(most: number = scaleRange[1]): Option {
  return integerOption("--scale <n>", "output pixels per input pixel along each axis (2)", scaleRange[0], most);
}

export function initOption(): Option {
  return choiceOption("--init <name>", "where DySample's points start", initNames);
}

export function scopeOption(): Option {
  return positiveOption("--scope <x>", "how far an offset of 1 moves a point of DySample, input pixels (0.25)");
}

export function seedOption(): Option {
  return integerOption("--seed <n>", "seed of all random numbers (0)", ...seedRange);
}

export function evalImagesOption(): Option {
  return integerOption("--eval-images <n>", "validation pictures to evaluate on (256)", ...evalImagesRange);
}

export function stepsOption(): Option {
  return integerOption("--steps <n>", "training steps (400)");
}

export function batchOption(): Option {
  return integerOption("--batch <n>", "pictures in a step (16)");
}

export function lrOption(): Option {
  return positiveOption("--lr <x>", "largest learning rate (0.01, restoration 0.1)");
}

export function warmupOption(): Option {
  return integerOption("--warmup <n>", "steps over which the learning rate rises first (20)", 0);
}

export function checkpointEveryOption(): Option {
  return integerOption("--checkpoint-every <n>", "steps between two checkpoints (25)");
}

export function evalEveryOption(usual: number): Option {
  return integerOption("--eval-every <n>", `steps between two evaluations on the way, 0 for none (${usual})`, 0);
}
