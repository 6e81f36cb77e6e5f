/**
 * @file The toy task's network: a strided encoder, and a decoder that upsamples three times by two. Only the upsamplers differ
 * between the networks that are compared.
 *
 *     c2 = e2(e1(x));  c3 = e4(e3(c2))                       [N, 32, 16, 16] and [N, 48, 8, 8] for 64x64 images
 *     y = f0(up0(l3(c3)) + l2(c2));  y = f1(up1(y));  logits = cls(up2(y))
 *
 * Upsamplers that are guided by the encoder see what it has at their output's size: l2(c2), e1(x) and the image.
 *
 * It has 44,822 parameters besides those of the upsamplers. Names are those of a PyTorch module of the same form.
 */

import { add, relu, ShapeError, type Tensor } from "@gridgrad/core";
import { BatchNorm2d, Conv2d, type InitOptions, Module } from "@gridgrad/nn";

import { createUpsampler } from "../upsamplers/createUpsampler.ts";
import type { Upsampler, UpsamplerOptions } from "../upsamplers/upsampler.ts";
import { shapes64 } from "./shapes64.ts";

/** Channels at which the decoder upsamples. */
export const decoderChannels = 32;

/** Channels of what the three upsamplers may be guided by: l2(c2), e1(x) and the image. */
export const guideChannels = [decoderChannels, 16, shapes64.channels] as const;

/** How often a side of the picture contains that of the smallest features: three convolutions halve it. */
const shrinks = 8;

/** Convolution without bias, batch normalisation, relu. */
class ConvBnRelu extends Module {
  conv: Conv2d;
  bn: BatchNorm2d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    { stride = 1, random }: { stride?: number } & InitOptions,
  ) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, kernelSize, {
      stride,
      padding: (kernelSize - 1) / 2,
      bias: false,
      random,
    });
    this.bn = new BatchNorm2d(outChannels);
  }

  forward(x: Tensor): Tensor {
    return relu(this.bn.forward(this.conv.forward(x)));
  }
}

/** The segmentation network, `[N, 3, H, W]` to logits `[N, 6, H, W]`; H and W must be divisible by 8. */
export class Fpn4 extends Module {
  e1: ConvBnRelu;
  e2: ConvBnRelu;
  e3: ConvBnRelu;
  e4: ConvBnRelu;
  l3: Conv2d;
  l2: Conv2d;
  up0: Upsampler;
  f0: ConvBnRelu;
  up1: Upsampler;
  f1: ConvBnRelu;
  up2: Upsampler;
  cls: Conv2d;

  /**
   * @param upsampler - one of `upsamplerNames`; all three upsamplers are of this kind.
   * @throws {ValueError} when there is no such upsampler, or its groups do not divide 32.
   */
  constructor(upsampler: string, options: Omit<UpsamplerOptions, "scale" | "guideChannels"> = {}) {
    super();
    const { random } = options;
    const C = decoderChannels;
    const up = (i: 0 | 1 | 2): Upsampler =>
      createUpsampler(upsampler, C, { ...options, scale: 2, guideChannels: guideChannels[i] });
    this.e1 = new ConvBnRelu(3, 16, 3, { stride: 2, random });
    this.e2 = new ConvBnRelu(16, 32, 3, { stride: 2, random });
    this.e3 = new ConvBnRelu(32, 48, 3, { stride: 2, random });
    this.e4 = new ConvBnRelu(48, 48, 3, { random });
    this.l3 = new Conv2d(48, C, 1, { bias: false, random });
    this.l2 = new Conv2d(32, C, 1, { bias: false, random });
    this.f0 = new ConvBnRelu(C, C, 1, { random });
    this.f1 = new ConvBnRelu(C, C, 1, { random });
    this.cls = new Conv2d(C, shapes64.classes.length, 1, { random });
    // Last, so that networks that differ in the upsampler only start from the same other weights.
    this.up0 = up(0);
    this.up1 = up(1);
    this.up2 = up(2);
  }

  /** @throws {ShapeError} when `x` is not `[N, 3, H, W]` with H and W divisible by 8: what is upsampled must fit what it is added to. */
  forward(x: Tensor): Tensor {
    const [, C, H, W] = x.shape;
    if (x.shape.length !== 4 || C !== shapes64.channels || H % shrinks !== 0 || W % shrinks !== 0) {
      const rule = `x must be [N, ${shapes64.channels}, H, W] with H and W divisible by ${shrinks} (resize or pad the pictures)`;
      throw new ShapeError("Fpn4", rule, { x: x.shape });
    }
    const c1 = this.e1.forward(x);
    const c2 = this.e2.forward(c1);
    const c3 = this.e4.forward(this.e3.forward(c2));
    const lateral = this.l2.forward(c2);
    const merged = this.f0.forward(add(this.up0.forward(this.l3.forward(c3), lateral), lateral));
    const y = this.f1.forward(this.up1.forward(merged, c1));
    return this.cls.forward(this.up2.forward(y, x));
  }
}
