/** @file gridgrad/lab: comparisons of upsamplers, as functions. */

export * from "@gridgrad/lab";
