/**
 * @file The part of gpu.js that the device uses, with types of our own: those of gpu.js need the DOM's and leave out what is used here.
 *
 * Source: gpu.js 2.24, src/gpu.js and src/backend.
 */

/** A texture or a buffer on the GPU. Backends without memory of their own hand out typed arrays instead. */
export interface GpuJsHandle {
  /** Flat, or for some backends a promise of it. */
  toArray(): Float32Array | Promise<Float32Array>;
  delete(): void;
  /** Of textures: the size in texels, and the shape of the values. */
  readonly size?: readonly number[];
  readonly dimensions?: readonly number[];
}

export type GpuJsValues = Float32Array | GpuJsHandle;

/** What createKernel returns. */
export interface GpuJsKernel {
  (...inputs: GpuJsValues[]): GpuJsValues | Promise<GpuJsValues>;
  /** What runs behind the shortcut; gpu.js may swap it. */
  readonly kernel: {
    readonly constructor: { readonly mode?: string; readonly name: string };
    /** Why it runs on the CPU after all. */
    readonly fallbackReason?: string | null;
    /** GL: the rendering context. webgpu: adapter and device, once built. */
    readonly context?: unknown;
    /** GL: the vertex buffer and the program. */
    readonly buffer?: unknown;
    readonly program?: unknown;
    /** webgpu: the WGSL. */
    readonly compiledSource?: string | null;
    /** GL: the GLSL. */
    readonly compiledFragmentShader?: string | null;
    /** webgpu: the buffer of the last result, which it keeps until it runs again. */
    outputBuffer?: { _refs: number; destroy(): void } | null;
  };
  setOutput(output: readonly number[]): GpuJsKernel;
  destroy(): void;
}

export interface GpuJs {
  readonly mode: string;
  createKernel(source: string, settings: Readonly<Record<string, unknown>>): GpuJsKernel;
  destroy(): Promise<void>;
}

export interface GpuJsConstructor {
  new (settings: { mode: string }): GpuJs;
  readonly isHeadlessGLSupported: boolean;
  readonly isWebGLSupported: boolean;
  readonly isWebGL2Supported: boolean;
  readonly isWebAssemblySupported: boolean;
}

/** gpu.js, when it is first needed: it is the largest part of the package. */
export async function loadGpuJs(): Promise<GpuJsConstructor> {
  const module = (await import("gpu.js")) as unknown as { GPU?: GpuJsConstructor; default?: { GPU: GpuJsConstructor } };
  return (module.GPU ?? module.default?.GPU)!;
}
