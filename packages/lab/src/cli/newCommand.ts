/** @file The commands with what each of them does: all that a list of them needs, without what they are made of. */

import { Command } from "commander";

const descriptions = {
  train: "Train the toy segmentation network, or an upsampler of pictures, and measure it.",
  compare: "Train several upsamplers with several seeds each, and put the results side by side.",
  worker: "Train runs of a comparison that is made elsewhere, with compare --queue.",
  eval: "Measure trained weights on the validation pictures.",
  offsets: "Train only where DySample samples, in a network that has learned with bilinear upsampling.",
  upsample:
    "Enlarge a PNG picture. Grey stays grey, 16 bits stay 16, and transparent pixels lend no colour to visible ones.",
  explain: "Show the schedule of a training step of the toy network, of its forward pass, or of one upsampler.",
  gradcheck: "Compare the gradients of upsamplers and ops with finite differences, first and second order.",
  goldens: "Run the golden cases of a folder and compare outputs and gradients with PyTorch's.",
  devices: "List the devices with what they run on, or what they lack on this machine.",
} as const;

export type CommandName = keyof typeof descriptions;

export const commandNames = Object.keys(descriptions) as readonly CommandName[];

/** A command that has its name and its description, and no options yet. */
export function newCommand(name: CommandName): Command {
  return new Command(name).description(descriptions[name]);
}
