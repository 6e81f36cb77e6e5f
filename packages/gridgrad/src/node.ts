/** @file gridgrad/node, what needs a file system: weights, checkpoints, pictures and training runs. */

export * from "@gridgrad/dysample/node";
export * from "@gridgrad/nn/node";
