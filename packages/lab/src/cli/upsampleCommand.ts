/** @file `gridgrad upsample`: a picture, enlarged by any of the upsamplers, trained or not. */

import { statSync } from "node:fs";

import { Random } from "@gridgrad/core";
import { type Picture, PictureUpsampler, resolveConfig, type TrainConfig, upsamplePicture } from "@gridgrad/dysample";
import { compileMs } from "@gridgrad/dysample/internal";
import { readPng, readWeights, type Weights, writePng } from "@gridgrad/dysample/node";
import { isStandardOutput } from "@gridgrad/nn/node";
import type { Command } from "commander";

import { fitWeights } from "./fitWeights.ts";
import type { Io } from "./io.ts";
import { newCommand } from "./newCommand.ts";
import { networkOfWeights } from "./networkOfWeights.ts";
import { deviceOption, groupsOption, scaleOption, seedOption, upsamplerOption } from "./options.ts";
import { chooseDevice, reportDevice, useDevice } from "./useDevice.ts";
import { readsInput, UserError } from "./userError.ts";

interface Options extends Partial<TrainConfig> {
  readonly weights?: string;
}

/** An upsampler of pictures as it starts out, with what the user should know of it. */
const starts: Readonly<Record<string, string>> = {
  "transposed-conv": "random weights, so the picture is noise",
  "pixel-shuffle": "random weights, so the picture is noise",
  carafe: "nearly the mean of 5 x 5 pixels, so the picture is blurred",
  fade: "random weights: a bilinear resize mixed with means of pixels around",
  "sapa-b": "nearly the mean of 5 x 5 pixels, so the picture is blurred",
};

/** Enlarged so much, a single pixel fills a window. */
const mostScale = 256;

/** Those without weights, which nothing can train. */
const fixed = ["nearest", "bilinear", "bicubic"];

export function upsampleCommand(io: Io): Command {
  return newCommand("upsample")
    .argument("<in.png>", "the picture")
    .argument("<out.png>", "where the enlarged picture goes")
    .addOption(upsamplerOption())
    .addOption(scaleOption(mostScale))
    .addOption(groupsOption())
    .option(
      "--weights <run|file>",
      "weights from `train --task restoration`; without them the upsampler's initial ones",
    )
    .addOption(seedOption())
    .addOption(deviceOption())
    .addHelpText(
      "after",
      `
Untrained DySample upsamples almost bilinearly. With --weights, upsampler, scale and groups are those of the run.
Transparency is enlarged like the colours by nearest, bilinear and bicubic, and bilinearly by all others. A pixel that ends fully
transparent is black then, but for nearest, which copies pixels as they are.

Examples:
  ${io.program} upsample cat.png cat-x4.png --upsampler bilinear --scale 4
  ${io.program} upsample cat.png /dev/stdout --scale 2 | display
  ${io.program} upsample cat.png cat-x2.png --weights runs/restoration-dysample-seed0`,
    )
    .action((from: string, to: string, options: Options) => runUpsample(io, from, to, options));
}

async function runUpsample(io: Io, from: string, to: string, { weights: path, ...given }: Options): Promise<void> {
  if (/\.(jpe?g|gif|webp|bmp|tiff?|avif)$/i.test(to)) {
    throw new UserError(`upsample writes PNG files, got the name ${to}; let it end in .png`);
  }
  if (isSameFile(from, to)) {
    throw new UserError(`the enlarged picture must have a name of its own, got ${to} for both`);
  }
  const weights = path === undefined ? null : await readWeights(path);
  if (weights) checkTask(io, weights);
  const network = weights ? networkOfWeights(weights, given) : given;
  const { device: chosen } = await chooseDevice(given);
  const { scale = 2, ...others } = { ...given, ...network }; // pictures may be larger than those that a run is trained on
  const { upsampler, groups, seed, device } = resolveConfig({ ...others, device: chosen, task: "restoration" });
  const picture = await readsInput(() => readPng(from));

  await useDevice(io, device);
  const up = await readsInput(() => new PictureUpsampler(upsampler, { scale, groups, random: new Random(seed) }));
  if (weights) {
    // Its names are those of a whole PictureUpsampler, up.offset.weight, or of the upsampler in it, offset.weight.
    const whole = Object.keys(weights.state).some((name) => name.startsWith("up."));
    fitWeights(whole ? up : up.up, weights);
  }
  const start = performance.now() - compileMs();
  const enlarged = await upsamplePicture(picture, up);
  const ms = performance.now() - compileMs() - start;
  await readsInput(() => writePng(to, enlarged));

  const groupsText = upsampler.startsWith("dysample") ? `, groups ${groups}` : "";
  const told: Io = isStandardOutput(to) ? { ...io, out: (line) => io.note(line) } : io; // the picture has no lines in it
  told.out(`${from} ${describe(picture)} -> ${to} ${describe(enlarged)}`);
  told.out(
    `${upsampler}, scale ${scale}${groupsText}, ${up.parameterCount} parameters, ${ms.toFixed(0)} ms on ${device}`,
  );
  if (weights) told.out(`weights of ${weights.file}`);
  else if (up.parameterCount > 0)
    told.out(`initial weights of seed ${seed}: ${starts[upsampler] ?? "nearly bilinear"}`);
  reportDevice(told);
}

/** Whether a picture would be replaced by what it is enlarged to. */
function isSameFile(from: string, to: string): boolean {
  const [read, written] = [from, to].map((path) => statSync(path, { throwIfNoEntry: false }));
  return read !== undefined && read.isFile() && read.dev === written?.dev && read.ino === written.ino;
}

/** The weights of the toy network upsample its features: 32 channels and not colours. */
function checkTask(io: Io, { network, state, file }: Weights): void {
  const segmentation = network ? network.task === "segmentation" : Object.hasOwn(state, "e1.conv.weight");
  if (!segmentation) return;
  throw new UserError(
    `${file} must have weights for pictures, but they are of the segmentation network, which upsamples 32 channels of ` +
      `features; train some for pictures: ${io.program} train --task restoration` +
      (network && !fixed.includes(network.upsampler) ? ` --upsampler ${network.upsampler}` : ""),
  );
}

function describe({ width, height, channels, data }: Picture): string {
  const kind = { 1: "grey", 2: "grey with alpha", 3: "RGB", 4: "RGBA" }[channels];
  return `${width}x${height} ${kind} ${data instanceof Uint16Array ? 16 : 8}-bit`;
}
