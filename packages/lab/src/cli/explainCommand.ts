/** @file `gridgrad explain`: which kernels run, in which order, with how much memory, and how long each of them takes. */

import {
  explain,
  type Explanation,
  profile,
  Random,
  realize,
  release,
  type Tensor,
  ValueError,
  zeros,
} from "@gridgrad/core";
import { createTask, createUpsampler, Fpn4, resolveConfig, shapes64, type Upsampler } from "@gridgrad/dysample";
import { StepRecorder } from "@gridgrad/dysample/internal";
import type { Command } from "commander";

import type { Paint } from "./colours.ts";
import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";
import { choiceOption, deviceOption, integerOption, upsamplerOption } from "./options.ts";
import { table } from "./table.ts";
import { chooseDevice, reportDevice, useDevice } from "./useDevice.ts";
import { readsInput, UsageError } from "./userError.ts";

type What = "step" | "forward" | "upsampler";

interface Options {
  readonly upsampler?: string;
  readonly what?: What;
  readonly channels?: number;
  readonly size?: number;
  readonly batch?: number;
  readonly format?: "text" | "dot" | "json";
  readonly json?: boolean;
  readonly device?: string;
  readonly run?: boolean;
}

/** The options that say how large the input of each graph is. */
const sizes: Readonly<Record<What, readonly ("channels" | "size" | "batch")[]>> = {
  step: ["batch"],
  forward: ["size", "batch"],
  upsampler: ["channels", "size", "batch"],
};

export function explainCommand(io: Io): Command {
  return newCommand("explain")
    .addOption(upsamplerOption())
    .addOption(choiceOption("--what <graph>", "what to explain", Object.keys(sizes)))
    .addOption(integerOption("--batch <n>", "pictures (16, for an upsampler 1)"))
    .addOption(integerOption("--size <n>", "height and width of the input (64, for an upsampler 16)"))
    .addOption(integerOption("--channels <n>", "channels of an upsampler's input (32)"))
    .addOption(choiceOption("--format <name>", "how to print it", ["text", "dot", "json"]))
    .option("--json", "the same as --format json")
    .addOption(deviceOption())
    .option("--run", "run it, and tell the time of each kernel and of each op")
    .addHelpText(
      "after",
      `
A GPU works in the background: there the time of a kernel is that of starting it, and of waiting when too many are under way.

Examples:
  ${io.program} explain --what upsampler --upsampler dysample --run
  ${io.program} explain --what step --batch 2 --run
  ${io.program} explain --what upsampler --format dot | dot -Tsvg > dysample.svg`,
    )
    .action((options: Options) => runExplain(io, options));
}

async function runExplain(io: Io, options: Options): Promise<void> {
  const { what = "step", json = false, format = json ? "json" : "text", device, run = false } = options;
  if (json && format !== "json") throw new UsageError(`--json is --format json, got --format ${format}; leave one out`);
  const wrong = (["channels", "size", "batch"] as const).find(
    (o) => options[o] !== undefined && !sizes[what].includes(o),
  );
  if (wrong !== undefined) {
    const takes = sizes[what].map((name) => `--${name}`).join(", ");
    throw new UsageError(`--what ${what} takes ${takes}, got --${wrong}; leave it out`);
  }
  await useDevice(io, (await chooseDevice({ device })).device);
  const record = (): Promise<Tensor[]> => readsInput(() => graph(what, options));
  if (run) await warmUp(record);
  const targets = await record();
  const explanation = run ? await profile(...targets) : explain(...targets);

  if (format === "dot") io.out(explanation.toDot());
  else if (format === "json") {
    io.out(JSON.stringify({ ...explanation.toJSON(), ...(run && { byOp: explanation.byOp() }) }, null, 2));
  } else {
    io.out(explanation.toString());
    if (run) {
      io.out(`\n${timesByOp(explanation, io.paint.out)}`);
      reportDevice(io);
    }
  }
}

/** Runs graphs for a second: the first ones compile loops or kernels and start threads, which no later one does. */
async function warmUp(record: () => Promise<Tensor[]>): Promise<void> {
  const end = performance.now() + 1000;
  do {
    const targets = await record();
    await realize(...targets);
    for (const t of targets) release(t, "it was computed to warm up"); // it is not to count in what the next run needs
  } while (performance.now() < end);
}

/** What is asked for, recorded and not computed. */
async function graph(what: What, { upsampler = "dysample", channels = 32, size, batch }: Options): Promise<Tensor[]> {
  if (what === "upsampler") {
    const [N, side] = [batch ?? 1, size ?? 16];
    const up = upsamplerOf(upsampler, channels);
    const guide = zeros([N, channels, up.scale * side, up.scale * side]); // recorded only where the upsampler asks for it
    return [up.forward(zeros([N, channels, side, side]), guide)];
  }
  if (what === "step") {
    const task = await createTask(resolveConfig({ upsampler, batch }));
    return new StepRecorder(task.model).record(task.loss(0));
  }
  const side = size ?? shapes64.size;
  if (side % 8 !== 0) throw new UsageError(`--size must be divisible by 8 for the toy network, got ${side}`);
  const network = new Fpn4(upsampler, { random: new Random(0) }).eval();
  return [network.forward(zeros([batch ?? 16, shapes64.channels, side, side]))];
}

function upsamplerOf(name: string, channels: number): Upsampler {
  try {
    return createUpsampler(name, channels, { random: new Random(0) });
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new UsageError(`--channels ${channels} must fit ${name}, but ${error.message}`);
  }
}

function timesByOp(explanation: Explanation, paint: Paint): string {
  const rows = explanation.byOp().map(({ op, kernels, ms, share }) => {
    return [op, String(kernels), ms.toFixed(2), `${(share * 100).toFixed(1)} %`];
  });
  return table(["op", "kernels", "ms", "share"], rows, paint);
}
