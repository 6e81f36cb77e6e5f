/**
 * @file FADE: the weights of a reassembly are predicted from the encoder's feature and the decoder's together, and a gate mixes
 * the encoder's feature in where it has the detail.
 *
 *     logits = K * conv1_en(guide) + b  +  nearest(K * conv1_de(x) + b)        semi-shift convolution: K is 3x3, the same for both
 *     gate = nearest(sigmoid(conv(x)))
 *     y = gate guide + (1 - gate) carafe(x, softmax over k² of logits)
 *
 * The authors write the first convolution as s² strided ones on shifted images; one at full size is the same. The guide must have
 * the channels of x to be mixed in. Where it has others, a 1x1 convolution of ours, `align`, brings them there.
 *
 * Source: Lu, Liu, Fu and Cao, "FADE: Fusing the Assets of Decoder and Encoder for Task-Agnostic Upsampling", ECCV 2022,
 * arXiv:2207.10392, and the authors' module, github.com/poppinace/fade, whose names and initialisation these are.
 */

import { add, checkOptions, mul, type OptionNames, sigmoid, sub, type Tensor, zeros } from "@gridgrad/core";
import { type Conv2d, type InitOptions, Module, Parameter, xavierNormal } from "@gridgrad/nn";
import { carafe, conv2d, interpolate, softmax } from "@gridgrad/ops";

import { checkWindow, xavierConv } from "./carafe.ts";
import { checkGuide, checkScale, type Upsampler, type UpsamplerOptions, upsamplerOptions } from "./upsampler.ts";

export interface FadeOptions extends UpsamplerOptions {
  /** k, in input pixels: odd. Default 5. */
  readonly kernelSize?: number;
  /** Channels to which guide and input are compressed before the weights are predicted. Default 64. */
  readonly embeddingDim?: number;
}

const fadeOptions: OptionNames<FadeOptions> = { ...upsamplerOptions, kernelSize: 0, embeddingDim: 0 };

/** Predicts from the input how much of the guide to take: one number per pixel. */
class GateGenerator extends Module {
  conv: Conv2d;

  constructor(inChannels: number, init: InitOptions) {
    super();
    this.conv = xavierConv(inChannels, 1, init);
  }

  forward(x: Tensor, scale: number): Tensor {
    return enlarge(sigmoid(this.conv.forward(x)), scale);
  }
}

/** Semi-shift convolution: logits of the weights, `[N, k², s H, s W]`. */
class SemiShift extends Module {
  conv1_en: Conv2d;
  conv1_de: Conv2d;
  /** `[k², embeddingDim, 3, 3]` */
  conv2_kernels: Parameter;
  /** `[k²]`, which counts twice. */
  conv2_bias: Parameter;

  constructor(guideChannels: number, inChannels: number, embeddingDim: number, kernelSize: number, init: InitOptions) {
    super();
    this.conv1_en = xavierConv(guideChannels, embeddingDim, init);
    this.conv1_de = xavierConv(inChannels, embeddingDim, { ...init, bias: false });
    this.conv2_kernels = new Parameter(xavierNormal([kernelSize ** 2, embeddingDim, 3, 3], init));
    this.conv2_bias = new Parameter(zeros([kernelSize ** 2]));
  }

  forward(guide: Tensor, x: Tensor, scale: number): Tensor {
    const shared = (features: Tensor): Tensor =>
      conv2d(features, this.conv2_kernels.tensor, this.conv2_bias.tensor, { padding: 1 });
    return add(shared(this.conv1_en.forward(guide)), enlarge(shared(this.conv1_de.forward(x)), scale));
  }
}

/**
 * @throws {ValueError} when `kernelSize` is not odd.
 *
 * @example
 * ```ts
 * const up = new Fade(256);
 * up.forward(zeros([1, 256, 3, 5]), zeros([1, 256, 6, 10])).shape; // [1, 256, 6, 10]
 * up.parameterCount; // 47514
 * ```
 */
export class Fade extends Module implements Upsampler {
  gate_generator: GateGenerator;
  kernel_generator: SemiShift;
  align: Conv2d | null;
  readonly inChannels: number;
  readonly guideChannels: number;
  readonly scale: number;
  readonly kernelSize: number;

  constructor(inChannels: number, options?: FadeOptions) {
    super();
    const checked = checkOptions("Fade(inChannels)", fadeOptions, options, arguments);
    const { scale = 2, kernelSize = 5, embeddingDim = 64, guideChannels = inChannels, random } = checked;
    this.scale = checkScale("Fade", scale);
    this.kernelSize = checkWindow("Fade", "kernelSize", kernelSize);
    this.gate_generator = new GateGenerator(inChannels, { random });
    this.kernel_generator = new SemiShift(guideChannels, inChannels, embeddingDim, kernelSize, { random });
    this.align = guideChannels === inChannels ? null : xavierConv(guideChannels, inChannels, { bias: false, random });
    this.inChannels = inChannels;
    this.guideChannels = guideChannels;
  }

  forward(x: Tensor, guide?: Tensor): Tensor {
    const { scale, kernelSize } = this;
    const detail = checkGuide("Fade", x, guide, this);
    const kernels = softmax(this.kernel_generator.forward(detail, x, scale), 1);
    const reassembled = carafe(x, kernels, { kernelSize });
    const aligned = this.align ? this.align.forward(detail) : detail;
    return add(reassembled, mul(this.gate_generator.forward(x, scale), sub(aligned, reassembled)));
  }
}

function enlarge(x: Tensor, scale: number): Tensor {
  return interpolate(x, { scaleFactor: scale, mode: "nearest" });
}
