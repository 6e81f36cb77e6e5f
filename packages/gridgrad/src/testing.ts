/** @file gridgrad/testing: gradient checks, random tensors and tolerances for your own tests. It needs fast-check. */

export * from "@gridgrad/core/testing";
