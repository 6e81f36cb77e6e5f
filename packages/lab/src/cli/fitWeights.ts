/** @file Puts weights into a network, or says how the two differ. */

import { ValueError } from "@gridgrad/core";
import type { Weights } from "@gridgrad/dysample/node";
import type { Module } from "@gridgrad/nn";

import { UserError } from "./userError.ts";

/** Loads all of the weights, or none when a name or a shape does not fit. */
export function fitWeights(network: Module, { state, file }: Weights): void {
  try {
    network.loadStateDict(state);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const options = "--task, --upsampler, --scale and --groups say which it is";
    throw new UserError(`${file} must fit the network (${options}), but ${error.message}`, { cause: error });
  }
}
