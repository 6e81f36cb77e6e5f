/** @file Which network weights are of: what they say themselves, or what the user says, and never two different answers. */

import type { TrainConfig } from "@gridgrad/dysample";
import type { Network } from "@gridgrad/dysample/internal/node";
import type { Weights } from "@gridgrad/dysample/node";

import { UserError } from "./userError.ts";

/** The network's fields, of the weights where they know, else as given. */
export function networkOfWeights({ network, file }: Weights, given: Partial<TrainConfig>): Partial<Network> {
  if (network === null) return given;
  for (const [field, own] of Object.entries(network)) {
    const asked = given[field as keyof Network];
    if (asked !== undefined && asked !== own) {
      throw new UserError(`${file} has weights of ${field} ${own}, got --${field} ${asked}; leave it out`);
    }
  }
  return network;
}
