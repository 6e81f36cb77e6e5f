/**
 * @file gridgrad, all that runs in Node and in a page: tensors and their gradients, image and network ops, the devices `cpu` and `gpu`,
 * upsamplers, and layers and optimisers under `nn`.
 */

export * from "@gridgrad/core";
export * from "@gridgrad/dysample";
export * as nn from "@gridgrad/nn";
export * from "@gridgrad/ops";

// Two packages have options of this name: those of the op, and those of the upsampler that is made of it.
export type { CarafeOptions as CarafeUpsamplerOptions } from "@gridgrad/dysample";
export type { CarafeOptions } from "@gridgrad/ops";
