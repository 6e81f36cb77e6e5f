/**
 * @file jax-js, on its WebAssembly backend, each work compiled by `jit`.
 *
 * It takes its threads from web workers, one for each of `navigator.hardwareConcurrency`. Node has no web workers and, before version
 * 21, no navigator: both are put in place here, so that jax-js has its threads. With one thread it runs without workers.
 */

import { requirePeer } from "./peerPackages.ts";
import { type Contestant, differentiated, type HostTensor, type HostTensors, type Task } from "./task.ts";
import { installWebWorker } from "./webWorker.ts";

/** What is used of jax-js. An array is gone when a function has taken it: `ref` is one more reference. */
interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: number[];
  reshape(shape: readonly number[]): JaxArray;
  transpose(axes: readonly number[]): JaxArray;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface Jax {
  init(device: "wasm"): Promise<string[]>;
  defaultDevice(device: "wasm"): void;
  jit<F>(f: F): F & { dispose(): void };
  vjp(
    f: (...xs: JaxArray[]) => JaxArray,
    xs: readonly JaxArray[],
  ): [JaxArray, ((dy: JaxArray) => JaxArray[]) & { dispose(): void }];
  blockUntilReady(ys: readonly JaxArray[]): Promise<unknown>;
  readonly numpy: {
    array(values: Float32Array): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    exp(x: JaxArray): JaxArray;
    sum(x: JaxArray, axis?: readonly number[]): JaxArray;
    mean(x: JaxArray, axis: readonly number[], options: { keepdims: boolean }): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    reciprocal(x: JaxArray): JaxArray;
  };
  readonly lax: { conv(x: JaxArray, w: JaxArray, strides: number[], padding: "SAME" | "VALID"): JaxArray };
  readonly nn: { softmax(x: JaxArray, axis: number): JaxArray };
}

type Formula = (...xs: JaxArray[]) => JaxArray;

function worksOf({ numpy: np, lax, nn }: Jax): Partial<Record<Task["work"], (attrs: Task["attrs"]) => Formula>> {
  return {
    // As a product of matrices, which it has a tiled kernel for; its convolution takes 15 times as long.
    conv1x1: () => (x, w) => {
      const [, C, H, W] = x.shape;
      const [O] = w.shape;
      return np.matmul(w.reshape([O, C]), x.reshape([C, H * W])).reshape([1, O, H, W]);
    },
    conv2d: () => (x, w) => lax.conv(x, w, [1, 1], "SAME"),
    exp: () => (x) => np.exp(x),
    matmul: () => (a, b) => np.matmul(a, b),
    pixelShuffle:
      ({ scale }) =>
      (x) => {
        const s = Number(scale);
        const [N, C, H, W] = x.shape;
        const cells = x.reshape([N, C / (s * s), s, s, H, W]).transpose([0, 1, 4, 2, 5, 3]);
        return cells.reshape([N, C / (s * s), H * s, W * s]);
      },
    softmax:
      ({ axis }) =>
      (x) =>
        nn.softmax(x, Number(axis)),
    sum: () => (x) => np.sum(x),
  };
}

export async function openJax(threads: number): Promise<Contestant> {
  if (threads > 1) installWebWorker();
  Object.defineProperty(globalThis, "navigator", {
    value: { hardwareConcurrency: threads, userAgent: `Node.js/${process.version}` },
    configurable: true,
  });
  const jax = requirePeer<Jax>("@jax-js/jax");
  if (!(await jax.init("wasm")).includes("wasm")) throw new Error("jax-js must have its backend wasm, got none");
  jax.defaultDevice("wasm");
  const works = worksOf(jax);
  return {
    version: "wasm backend, jit",
    threads: String(threads),
    async prepare(task, inputs) {
      const formula = works[task.work]?.(task.attrs);
      if (!formula) return `jax-js has no ${task.work}`;
      const names = differentiated(inputs);
      const leaves = [...names, ...(task.gradients ? ["dy"] : [])].map((name) => upload(jax, inputs[name]));
      const f = jax.jit((...xs: JaxArray[]): JaxArray[] => {
        if (!task.gradients) return [formula(...xs)];
        const [y, back] = jax.vjp(formula, xs.slice(0, names.length));
        const gradients = back(xs[names.length]);
        back.dispose();
        return [y, ...gradients];
      });
      const run = async (): Promise<JaxArray[]> => {
        const ys = f(...leaves.map((x) => x.ref));
        await jax.blockUntilReady(ys);
        return ys;
      };
      const keys = ["y", ...names.map((name) => `d${name}`)];
      return {
        async outputs() {
          const entries: [string, HostTensor][] = [];
          for (const [i, y] of (await run()).entries()) {
            const shape = [...y.shape];
            entries.push([keys[i], { shape, values: await y.data() }]);
          }
          return Object.fromEntries(entries) satisfies HostTensors;
        },
        async run() {
          const ys = await run();
          return () => ys.forEach((y) => y.dispose());
        },
        release() {
          for (const x of leaves) x.dispose();
          f.dispose();
        },
      };
    },
    close: () => process.exit(0), // its workers have no end of their own
  };
}

function upload({ numpy }: Jax, { shape, values }: HostTensor): JaxArray {
  return numpy.array(values as Float32Array).reshape(shape);
}
