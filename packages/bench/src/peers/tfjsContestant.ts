/**
 * @file TensorFlow.js, on its `wasm` backend (XNNPACK, SIMD) or its `cpu` backend (plain JavaScript). Images lie in NHWC, the only
 * layout that its kernels have; they are brought there before the clock starts.
 *
 * In Node its WebAssembly runs on one thread, whatever is asked for: it switches its threads off there, and its threaded module starts
 * its workers from blobs, which Node cannot. Source: flags_wasm.ts of tfjs-backend-wasm; github.com/tensorflow/tfjs/issues/3830.
 */

import { peerVersions, requirePeer } from "./peerPackages.ts";
import { type Contestant, differentiated, elements, type HostTensor, type Task } from "./task.ts";

/** What is used of TensorFlow.js. */
interface TfTensor {
  readonly shape: number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tidy<T>(body: () => T): T;
  tensor(values: Float32Array, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, axes: readonly number[]): TfTensor;
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  conv2d(x: TfTensor, w: TfTensor, strides: number, padding: "same"): TfTensor;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
  softmax(x: TfTensor): TfTensor;
  exp(x: TfTensor): TfTensor;
  sum(x: TfTensor): TfTensor;
  moments(x: TfTensor, axes: readonly number[]): { mean: TfTensor; variance: TfTensor };
  batchNorm(
    x: TfTensor,
    mean: TfTensor,
    variance: TfTensor,
    offset: TfTensor,
    scale: TfTensor,
    epsilon: number,
  ): TfTensor;
  image: {
    resizeBilinear(x: TfTensor, size: [number, number], alignCorners: boolean, halfPixelCenters: boolean): TfTensor;
  };
  engine(): { runKernel(name: string, inputs: Readonly<Record<string, TfTensor>>, attrs: object): TfTensor };
}

type Formula = (...xs: TfTensor[]) => TfTensor;

interface Work {
  readonly formula: Formula;
  /** Whether 4-D inputs and outputs are images, which change their layout. Weights `[O, C, K, K]` always become `[K, K, C, O]`. */
  readonly images?: boolean;
  /** The gradients of all inputs. */
  readonly gradients?: (xs: TfTensor[], dy: TfTensor) => TfTensor[];
}

const toLastAxis = [0, 2, 3, 1];
const fromLastAxis = [0, 3, 1, 2];
const weightToLast = [2, 3, 1, 0];
const weightFromLast = [3, 2, 0, 1];

function worksOf(tf: Tf): Partial<Record<Task["work"], (attrs: Task["attrs"]) => Work>> {
  const conv: Formula = (x, w) => tf.conv2d(x, w, 1, "same");
  return {
    // Only y: it leaves running statistics to its layers.
    batchNorm: () => ({
      formula(x, weight, bias) {
        const { mean, variance } = tf.moments(x, [0, 1, 2]);
        return tf.batchNorm(x, mean, variance, bias, weight, 1e-5);
      },
      images: true,
    }),
    conv1x1: () => ({ formula: conv, images: true }),
    conv2d: () => ({
      formula: conv,
      images: true,
      // The kernels that its gradient calls; the package as Node loads it has no gradients registered.
      gradients([x, filter], dy) {
        const attrs = { strides: 1, pad: "same", dataFormat: "NHWC" };
        const engine = tf.engine();
        return [
          engine.runKernel("Conv2DBackpropInput", { dy, filter }, { ...attrs, inputShape: x.shape }),
          engine.runKernel("Conv2DBackpropFilter", { x, dy }, { ...attrs, filterShape: filter.shape }),
        ];
      },
    }),
    exp: () => ({ formula: (x) => tf.exp(x) }),
    interpolate: () => ({
      formula: (x) => tf.image.resizeBilinear(x, [2 * x.shape[1], 2 * x.shape[2]], false, true),
      images: true,
    }),
    matmul: () => ({ formula: (a, b) => tf.matMul(a, b) }),
    // Its depthToSpace takes the channels in another order.
    pixelShuffle: ({ scale }) => ({
      formula(x) {
        const s = Number(scale);
        const [N, C, H, W] = x.shape;
        const cells = tf.transpose(tf.reshape(x, [N, C / (s * s), s, s, H, W]), [0, 1, 4, 2, 5, 3]);
        return tf.reshape(cells, [N, C / (s * s), H * s, W * s]);
      },
    }),
    softmax: () => ({ formula: (x) => tf.softmax(x), images: true }), // over the last axis, where the channels are
    sum: () => ({ formula: (x) => tf.sum(x) }),
  };
}

/** What its plain JavaScript is timed on: that it is slow need not be shown on every line. */
const onCpu: readonly Task["work"][] = ["conv1x1", "conv2d"];

export async function openTfjs(backend: "wasm" | "cpu"): Promise<Contestant> {
  const tf = requirePeer<Tf>("@tensorflow/tfjs-core");
  if (backend === "wasm") {
    requirePeer<{ setThreadsCount(n: number): void }>("@tensorflow/tfjs-backend-wasm").setThreadsCount(1);
  } else {
    requirePeer<unknown>("@tensorflow/tfjs-backend-cpu");
  }
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js must have its backend ${backend}, got none`);
  await tf.ready();
  const works = worksOf(tf);
  return {
    version: `${peerVersions["@tensorflow/tfjs-core"]}, ${backend} backend`,
    threads: backend === "wasm" ? "1 (it switches its threads off in Node)" : "1 (it has no more)",
    async prepare(task, inputs) {
      const work = works[task.work]?.(task.attrs);
      if (!work) return `TensorFlow.js has no ${task.work}`;
      if (backend === "cpu" && !onCpu.includes(task.work)) return "its cpu backend is timed on convolutions only";
      if (backend === "wasm" && task.gradients) return "its wasm backend has no kernel Conv2DBackpropFilter";
      if (task.gradients && !work.gradients) return `${task.work} is timed forward only`;
      const names = differentiated(inputs).filter((name) => name !== "mean" && name !== "variance");
      const layout = (
        name: string,
        { shape }: { shape: readonly number[] },
        axes: [number[], number[]],
      ): number[] | null => (!work.images || shape.length !== 4 ? null : name.endsWith("weight") ? axes[1] : axes[0]);
      const upload = (name: string): TfTensor => {
        const axes = layout(name, inputs[name], [toLastAxis, weightToLast]);
        const x = tf.tensor(inputs[name].values as Float32Array, inputs[name].shape);
        return axes ? moved(tf, x, axes) : x;
      };
      const leaves = names.map(upload);
      const dy = task.gradients ? upload("dy") : null;
      const run = (): TfTensor[] =>
        tf.tidy(() => {
          const y = work.formula(...leaves);
          return dy ? [y, ...work.gradients!(leaves, dy)] : [y];
        });
      const keys = ["y", ...names.map((name) => `d${name}`)];
      return {
        async outputs() {
          const entries: [string, HostTensor][] = [];
          for (const [i, y] of run().entries()) {
            const axes = layout(keys[i], y, [fromLastAxis, weightFromLast]);
            const z = axes ? moved(tf, y, axes) : y;
            entries.push([keys[i], { shape: z.shape, values: await z.data() }]);
            z.dispose();
          }
          return Object.fromEntries(entries);
        },
        async run() {
          const ys = run();
          // A kernel has run when its call returns; one value shows it.
          if (elements(ys[0]) === 1) await ys[0].data();
          return () => ys.forEach((y) => y.dispose());
        },
        release() {
          for (const x of leaves) x.dispose();
          dy?.dispose();
        },
      };
    },
    close: () => process.exit(0), // its WebAssembly holds the process
  };
}

/** `x` with its axes in another order; `x` is freed. */
function moved(tf: Tf, x: TfTensor, axes: readonly number[]): TfTensor {
  const y = tf.transpose(x, axes);
  x.dispose();
  return y;
}
