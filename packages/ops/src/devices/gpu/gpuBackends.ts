/** @file The ways to run a kernel that gpu.js knows. */

export const gpuBackends = ["webgpu", "headlessgl", "webgl2", "webgl", "webasm", "cpu"] as const;

export type GpuBackend = (typeof gpuBackends)[number];
