/** @file All ops that have kernels on the `cpu` device. */

import type { CpuKernel } from "../kernel.ts";
import { matrixKernels } from "./matrix.ts";

export const cpuKernels: readonly CpuKernel[] = [...matrixKernels];
