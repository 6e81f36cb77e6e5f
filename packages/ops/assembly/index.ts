/** @file The module: every kernel of the `cpu` device. What calls them, and how, is in src/devices/cpu. */

export * from "./adam";
export * from "./carafe";
export * from "./elementwise";
export * from "./matrix";
export * from "./interpolate";
export * from "./layout";
export * from "./norm";
export * from "./pool";
export * from "./softmax";
export * from "./reduce";
export * from "./sampling";
