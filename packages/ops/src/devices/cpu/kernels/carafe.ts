/** @file Content-aware reassembly and its gradients: carafe, carafeInput and carafeKernels, as launches of assembly/carafe.ts. */

import type { Shape } from "@gridgrad/core";

import type { carafeInputOp, carafeKernelsOp, carafeOp } from "../../../ops/carafe.ts";
import { kernelOf, type CpuKernel, type Launcher, makeFlag } from "../kernel.ts";

/** Channels that carafeKernels adds up at a time: as in assembly/carafe.ts. */
const similarityChannels = 16;

/** What all three take: images of C channels in G groups, H by W coarse pixels, windows of k by k, s fine pixels per coarse pixel and axis. */
interface Sizes {
  readonly N: number;
  readonly C: number;
  readonly G: number;
  readonly H: number;
  readonly W: number;
  readonly k: number;
  readonly s: number;
}

function sizesOf(
  [N, C, H, W]: Shape,
  [, , P]: Shape,
  { kernelSize: k, groups: G }: { readonly kernelSize: number; readonly groups: number },
): Sizes {
  return { N, C, G, H, W, k, s: P / H };
}

/** Starts a kernel, whose scratch memory is that many lines of fine pixels and enlarged rows of coarse ones. */
function launch(
  cpu: Launcher,
  kernel: "carafe" | "carafeInput" | "carafeKernels",
  { N, C, G, H, W, k, s }: Sizes,
  { lines, rows }: { readonly lines: number; readonly rows: number },
  ...tensors: [result: number, fine: number, other: number]
): "not finite" | void {
  const Q = s * W;
  const line = 4 * Math.ceil(Q / 4);
  const row = 4 * Math.ceil((Q + (k - 1) * s) / 4) + 8;
  const work = { items: N * H, cost: 2 * C * k * k * s * Q, scratch: 4 * (lines * line + rows * row) };
  const flag = kernel === "carafeInput" ? null : makeFlag(cpu);
  cpu.launch(kernel, work, ...tensors, C, G, H, W, k, s, ...(flag ? [flag.address] : []));
  return flag?.isRaised() ? "not finite" : undefined;
}

export const carafeKernels: readonly CpuKernel[] = [
  kernelOf<typeof carafeOp>("carafe", (cpu, y, [x, kernels], { attrs, inShapes: [coarse], outShape: fine }) => {
    const sizes = sizesOf(coarse, fine, attrs);
    const { k, s } = sizes;
    return launch(cpu, "carafe", sizes, { lines: k * k * s + 8, rows: 4 * k }, y, x, kernels);
  }),

  kernelOf<typeof carafeInputOp>(
    "carafeInput",
    (cpu, dx, [dy, kernels], { attrs, inShapes: [fine], outShape: coarse }) => {
      const sizes = sizesOf(coarse, fine, attrs);
      const { k, s } = sizes;
      return launch(cpu, "carafeInput", sizes, { lines: k * k * s + 8, rows: 4 }, dx, dy, kernels);
    },
  ),

  kernelOf<typeof carafeKernelsOp>("carafeKernels", (cpu, dw, [dy, x], { attrs, inShapes: [fine, coarse] }) => {
    const sizes = sizesOf(coarse, fine, attrs);
    const { k, s } = sizes;
    const scratch = { lines: similarityChannels * s + 8, rows: similarityChannels * k };
    return launch(cpu, "carafeKernels", sizes, scratch, dw, dy, x);
  }),
];
