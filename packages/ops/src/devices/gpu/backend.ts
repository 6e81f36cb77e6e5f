/**
 * @file Which of the ways to run a kernel this machine has, and which is best.
 *
 * A way that is asked for by its name runs or fails with a message that says what is missing. `"gpu"` alone takes the best that there
 * is: WebGPU or WebGL2 on hardware, else WebAssembly, which runs everywhere. A driver that draws on the CPU (SwiftShader, llvmpipe) is
 * slower than WebAssembly and is taken only by its name; so is headless-gl, which cannot tell what it draws on.
 */

import { GraphError, importOptional } from "@gridgrad/core";

import type { GpuBackend } from "./gpuBackends.ts";
import { type GpuJs, type GpuJsConstructor, loadGpuJs } from "./gpujs.ts";

export interface OpenBackend {
  readonly gpu: GpuJs;
  readonly backend: GpuBackend;
  /** What runs, for people: `webgpu on NVIDIA H200`. */
  readonly description: string;
}

/** @throws {GraphError} when the backend, or for `"gpu"` every one, is missing: with the reason and the remedy. */
export async function openBackend(wanted: GpuBackend | "gpu"): Promise<OpenBackend> {
  const GPU = await loadGpuJs();
  if (wanted !== "gpu") {
    const found = await probe(GPU, wanted);
    if ("missing" in found) throw new GraphError(`gpu:${wanted}: ${found.missing}`);
    return open(GPU, wanted, found.hardware);
  }
  const passedOver: string[] = [];
  for (const backend of hardwareBackends()) {
    const found = await probe(GPU, backend);
    if (!("missing" in found) && !found.software) return open(GPU, backend, found.hardware);
    passedOver.push(`${backend}: ${"missing" in found ? found.missing : `${found.hardware} draws on the CPU`}`);
  }
  const fallback = GPU.isWebAssemblySupported ? "webasm" : "cpu";
  return open(GPU, fallback, `${hardwareOf[fallback]}, since no GPU answered (${passedOver.join("; ")})`);
}

/** Whether a graphics card answers. */
export async function hasGraphicsCard(): Promise<boolean> {
  for (const backend of hardwareBackends()) {
    const found = backend === "webgpu" ? await probeWebGpu() : await probe(await loadGpuJs(), backend);
    if (!("missing" in found) && !found.software) return true;
  }
  return false;
}

/** Ways to a graphics card that can tell whether there is one, the best first. */
function hardwareBackends(): readonly ("webgpu" | "webgl2")[] {
  return isNode() ? ["webgpu"] : ["webgpu", "webgl2"];
}

const hardwareOf = { webasm: "the CPU as WebAssembly", cpu: "the CPU as JavaScript" } as const;

type Found = { readonly hardware: string; readonly software: boolean } | { readonly missing: string };

async function probe(GPU: GpuJsConstructor, backend: GpuBackend): Promise<Found> {
  switch (backend) {
    case "webgpu":
      return probeWebGpu();
    case "headlessgl":
      return GPU.isHeadlessGLSupported
        ? { hardware: "OpenGL", software: false }
        : {
            missing: isNode()
              ? "needs the package `gl` (npm install gl) and a display: on a server, run under `xvfb-run -a`"
              : "runs in Node only; in a browser use gpu:webgl2 or gpu:webgpu",
          };
    case "webgl2":
      return GPU.isWebGL2Supported ? glHardware("webgl2") : { missing: noWebGl("WebGL 2") };
    case "webgl":
      return GPU.isWebGLSupported ? glHardware("webgl") : { missing: noWebGl("WebGL") };
    case "webasm":
      return GPU.isWebAssemblySupported
        ? { hardware: hardwareOf.webasm, software: true }
        : { missing: "needs WebAssembly, which this JavaScript engine has not" };
    case "cpu":
      return { hardware: hardwareOf.cpu, software: true };
  }
}

function open(GPU: GpuJsConstructor, backend: GpuBackend, hardware: string): OpenBackend {
  return { gpu: new GPU({ mode: backend }), backend, description: `gpu.js ${backend} on ${hardware}` };
}

function noWebGl(name: string): string {
  return isNode()
    ? `needs a browser; in Node use gpu:webgpu, gpu:headlessgl or gpu:webasm`
    : `this browser has no ${name}, or it is switched off`;
}

interface Adapter {
  readonly info?: {
    readonly vendor?: string;
    readonly architecture?: string;
    readonly description?: string;
    readonly isFallbackAdapter?: boolean;
  };
}

interface Navigator {
  readonly gpu?: { requestAdapter(): Promise<Adapter | null> };
}

async function probeWebGpu(): Promise<Found> {
  const missing = await provideWebGpu();
  if (missing) return { missing };
  const { gpu } = (globalThis as { navigator?: Navigator }).navigator!;
  const adapter = await gpu!.requestAdapter();
  if (!adapter)
    return { missing: "WebGPU finds no graphics adapter on this machine; check that its driver is installed" };
  const { vendor = "", architecture = "", description = "", isFallbackAdapter = false } = adapter.info ?? {};
  const hardware = description || [vendor, architecture].filter(Boolean).join(" ") || "a GPU that hides its name";
  return { hardware, software: isFallbackAdapter || /swiftshader|llvmpipe|software/i.test(hardware) };
}

/** WebGPU's instance in Node. Collecting it would take every device with it. */
let nodeGpu: unknown = null;

interface WebGpuPackage {
  create(options: readonly string[]): unknown;
  readonly globals: object;
}

const noPackage = "needs the package `webgpu` (npm install webgpu) and a Vulkan, Metal or Direct3D 12 driver";

/** Makes `navigator.gpu` there, in Node by way of the package `webgpu`. Returns what is missing, or nothing. */
async function provideWebGpu(): Promise<string | null> {
  const world = globalThis as { navigator?: Navigator };
  if (world.navigator?.gpu) return null;
  if (!isNode()) return "this browser has no WebGPU, or offers it on https and localhost only";
  try {
    const webgpu = (await importOptional("webgpu", () => importByName("webgpu"))) as WebGpuPackage | null;
    if (webgpu === null) return noPackage;
    nodeGpu ??= webgpu.create([]);
    Object.assign(globalThis, webgpu.globals);
    // gpu.js looks for it there. Node 21 and newer have a navigator, older ones none.
    if (world.navigator) Object.defineProperty(world.navigator, "gpu", { value: nodeGpu, configurable: true });
    else Object.defineProperty(globalThis, "navigator", { value: { gpu: nodeGpu }, configurable: true });
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return /cannot find (package|module)|could not resolve/i.test(reason)
      ? noPackage // as other engines say it
      : `the package \`webgpu\` does not load: ${reason}`;
  }
}

/** Imports an optional package, which bundlers leave out: some of them read a constant in place of the parameter. */
function importByName(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ name);
}

/** What a browser draws WebGL on. */
function glHardware(context: "webgl" | "webgl2"): Found {
  interface Gl {
    getExtension(name: string): { readonly UNMASKED_RENDERER_WEBGL: number } | null;
    getParameter(name: number): unknown;
  }
  const { OffscreenCanvas } = globalThis as {
    OffscreenCanvas?: new (width: number, height: number) => { getContext(name: string): Gl | null };
  };
  const gl = OffscreenCanvas ? new OffscreenCanvas(1, 1).getContext(context) : null;
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  const renderer = names ? String(gl!.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "a renderer that hides its name";
  return { hardware: renderer, software: /swiftshader|llvmpipe|software|basic render/i.test(renderer) };
}

function isNode(): boolean {
  return typeof (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node === "string";
}
