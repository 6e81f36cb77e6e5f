/** @file All ops that have kernels on the `cpu` device. */

import type { CpuKernel } from "../kernel.ts";
import { adamKernels } from "./adam.ts";
import { carafeKernels } from "./carafe.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { matrixKernels } from "./matrix.ts";
import { interpolateKernels } from "./interpolate.ts";
import { layoutKernels } from "./layout.ts";
import { normKernels } from "./norm.ts";
import { poolKernels } from "./pool.ts";
import { reduceKernels } from "./reduce.ts";
import { samplingKernels } from "./sampling.ts";
import { softmaxKernels } from "./softmax.ts";

export const cpuKernels: readonly CpuKernel[] = [
  ...adamKernels,
  ...carafeKernels,
  ...elementwiseKernels,
  ...matrixKernels,
  ...interpolateKernels,
  ...layoutKernels,
  ...normKernels,
  ...poolKernels,
  ...reduceKernels,
  ...samplingKernels,
  ...softmaxKernels,
];
