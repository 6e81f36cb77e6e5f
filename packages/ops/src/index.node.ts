/** @file The public surface of @gridgrad/ops in Node: the same, with the engine of the `cpu` device already there. */

import "./devices/cpu/cpuEngine.node.ts";

export * from "./index.ts";
