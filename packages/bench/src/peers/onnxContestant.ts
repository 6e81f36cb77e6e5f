/**
 * @file onnxruntime-web in Node, on its WebAssembly, with a model of one node for each work. Weights of convolutions are constants of
 * the model, as in an exported network. It has no gradients.
 *
 * A run copies the inputs into its memory and the output out of it: it gives its caller no way to leave them there.
 */

import { onnxModel, type OnnxInput, type OnnxNode } from "./onnxModel.ts";
import { requirePeer } from "./peerPackages.ts";
import type { Contestant, HostTensor, HostTensors, Task } from "./task.ts";

/** What is used of onnxruntime-web. */
interface OrtTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

interface Ort {
  readonly env: { readonly wasm: { numThreads?: number }; logLevel?: string };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<Session>;
  };
}

interface Session {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

type Attrs = Task["attrs"];

const works: Partial<Record<Task["work"], (inputs: HostTensors, attrs: Attrs) => OnnxNode>> = {
  conv1x1: (inputs) => convolution(inputs, 1),
  conv2d: (inputs) => convolution(inputs, 3),
  exp: ({ x }) => ({ type: "Exp", inputs: [given("x", x)], outShape: x.shape, opset: 13 }),
  gridSample: ({ x, grid }) => ({
    type: "GridSample",
    inputs: [given("x", x), given("grid", grid)],
    outShape: [x.shape[0], x.shape[1], grid.shape[1], grid.shape[2]],
    attributes: { mode: "bilinear", padding_mode: "border", align_corners: 0 },
    opset: 16,
  }),
  interpolate({ x }) {
    const [N, C, H, W] = x.shape;
    const scales = { name: "scales", shape: [4], constant: Float32Array.of(1, 1, 2, 2) };
    return {
      type: "Resize",
      inputs: [given("x", x), null, scales],
      outShape: [N, C, 2 * H, 2 * W],
      attributes: { mode: "linear", coordinate_transformation_mode: "half_pixel" },
      opset: 13,
    };
  },
  matmul: ({ a, b }) => ({
    type: "MatMul",
    inputs: [given("a", a), given("b", b)],
    outShape: [a.shape[0], b.shape[1]],
    opset: 13,
  }),
  pixelShuffle({ x }, { scale }) {
    const [N, C, H, W] = x.shape;
    const s = Number(scale);
    return {
      type: "DepthToSpace",
      inputs: [given("x", x)],
      outShape: [N, C / (s * s), H * s, W * s],
      attributes: { blocksize: s, mode: "CRD" },
      opset: 13,
    };
  },
  softmax: ({ x }, { axis }) => ({
    type: "Softmax",
    inputs: [given("x", x)],
    outShape: x.shape,
    attributes: { axis: Number(axis) },
    opset: 13,
  }),
  sum: ({ x }) => ({
    type: "ReduceSum",
    inputs: [given("x", x)],
    outShape: [],
    attributes: { keepdims: 0 },
    opset: 13,
  }),
};

export async function openOnnx(threads: number): Promise<Contestant> {
  const ort = requirePeer<Ort>("onnxruntime-web");
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  return {
    version: "WebAssembly execution provider",
    threads: String(threads),
    async prepare(task, inputs) {
      if (task.gradients) return "onnxruntime-web has no gradients";
      const node = works[task.work]?.(inputs, task.attrs);
      if (!node) return `onnxruntime-web has no ${task.work} that is one node`;
      const session = await ort.InferenceSession.create(onnxModel(node), { executionProviders: ["wasm"] });
      const fed = node.inputs.filter((input) => input !== null && !input.constant).map((input) => input!.name);
      const feeds = Object.fromEntries(
        fed.map((name) => [name, new ort.Tensor("float32", inputs[name].values as Float32Array, inputs[name].shape)]),
      );
      return {
        async outputs() {
          const { y } = await session.run(feeds);
          return { y: { shape: y.dims, values: y.data } };
        },
        async run() {
          await session.run(feeds);
          return () => {};
        },
        release: () => void session.release(),
      };
    },
    close: () => process.exit(0), // its workers have no end of their own
  };
}

function given(name: string, { shape }: HostTensor): OnnxInput {
  return { name, shape };
}

function convolution({ x, weight }: HostTensors, kernel: number): OnnxNode {
  const [N, , H, W] = x.shape;
  const p = (kernel - 1) / 2;
  return {
    type: "Conv",
    inputs: [given("x", x), { ...given("weight", weight), constant: weight.values }],
    outShape: [N, weight.shape[0], H, W],
    attributes: { kernel_shape: [kernel, kernel], pads: [p, p, p, p] },
    opset: 13,
  };
}
