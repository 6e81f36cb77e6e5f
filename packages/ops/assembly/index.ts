/** @file The module: every kernel of the `cpu` device. What calls them, and how, is in src/devices/cpu. */

export * from "./matrix";
