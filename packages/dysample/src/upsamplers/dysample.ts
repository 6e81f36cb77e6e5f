/**
 * @file DySample: upsampling by learning where to sample.
 *
 * A bilinear resize by s reads, for sub-pixel (i, j) of input pixel (h, w), the position
 *
 *     (w + 0.5 + initPos_x, h + 0.5 + initPos_y),    initPos = ((1 - s)/2 + j) / s for x, with i for y
 *
 * in input pixels with half-pixel centres. DySample moves each of these positions by an offset that a 1x1 convolution
 * predicts from the features, in G groups of channels, and samples there:
 *
 *     lp ("linear, then pixel shuffle")    offset = conv(x)                       C -> 2 G s² channels
 *     pl ("pixel shuffle, then linear")    offset = unshuffle(conv(shuffle(x)))   C/s² -> 2 G channels
 *     position += 0.25 offset,  or with a dynamic scope  position += 0.5 sigmoid(scope(x)) offset
 *
 * Channel (((xy G + g) s + i) s + j) of an offset belongs to axis xy (0 is x), group g, row i and column j of the cell.
 *
 * Source: Liu, Lu, Fu and Cao, "Learning to Upsample by Learning to Sample", ICCV 2023, arXiv:2308.15085, and the authors'
 * module, github.com/tiny-smart/dysample.
 */

import {
  add,
  cast,
  checkOptions,
  checkTensor,
  checkTensors,
  type DType,
  mul,
  type OptionNames,
  permute,
  reshape,
  ShapeError,
  showValue,
  sigmoid,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "@gridgrad/core";
import { Buffer, Conv2d, type InitOptions, Module, normal, Parameter } from "@gridgrad/nn";
import { gridSample, interpolate, pixelShuffle, pixelUnshuffle, sampleAtOffsets } from "@gridgrad/ops";

export interface DySampleOptions extends InitOptions {
  /** Output pixels per input pixel along each axis. Default 2. */
  readonly scale?: number;
  /** Whether offsets are predicted before (`lp`) or after (`pl`) the pixel shuffle. Default `lp`. */
  readonly style?: "lp" | "pl";
  /** Groups of channels that share their sampling points. Default 4. */
  readonly groups?: number;
  /** Predict how far the points may move, too. Default false. */
  readonly dyscope?: boolean;
  /**
   * Where the points start: at those of a bilinear resize, or all of a pixel's at its centre, as nearest neighbours read, which is what
   * the paper improves on first. Default `bilinear`.
   */
  readonly init?: "bilinear" | "nearest";
  /** How far an offset of 1 moves a point, in input pixels; with a dynamic scope at the start, and at most twice as far. Default 0.25. */
  readonly scope?: number;
}

const dysampleOptions: OptionNames<DySampleOptions> = {
  scale: 1,
  style: 1,
  groups: 1,
  dyscope: 1,
  init: 0,
  scope: 0,
  random: 0,
};

/** The paper's four variants by their names. */
export const dysampleVariants = {
  dysample: { style: "lp", dyscope: false },
  "dysample+": { style: "lp", dyscope: true },
  "dysample-s": { style: "pl", dyscope: false },
  "dysample-s+": { style: "pl", dyscope: true },
} as const satisfies Record<string, DySampleOptions>;

/** In input pixels: points of a resize by 2 are 1/2 apart, so this is where neighbours begin to overlap when an offset reaches 1. */
const defaultScope = 0.25;

/**
 * Upsamples `[N, C, H, W]` to `[N, C, s H, s W]` at learned positions. Starts as bilinear upsampling, nearly: offset weights are
 * normal with a standard deviation of 0.001.
 *
 * @throws {ValueError} when `groups` does not divide the channels, or for `pl` the scale's square does not.
 *
 * @example
 * ```ts
 * const up = new DySample(8, { scale: 2, groups: 4 });
 * up.forward(zeros([1, 8, 5, 7])).shape; // [1, 8, 10, 14]
 * up.parameterCount; // 288
 * ```
 */
export class DySample extends Module {
  offset: Conv2d;
  scope: Conv2d | null;
  /** Offsets of a bilinear resize, `[1, 2 G s², 1, 1]`. */
  init_pos: Buffer;

  readonly inChannels: number;
  readonly scale: number;
  readonly style: "lp" | "pl";
  readonly groups: number;
  readonly init: "bilinear" | "nearest";
  readonly staticScope: number;

  constructor(inChannels: number, options?: DySampleOptions) {
    super();
    checkNoSize("DySample", options);
    const {
      scale = 2,
      style = "lp",
      groups = 4,
      dyscope = false,
      init = "bilinear",
      scope = defaultScope,
      random,
    } = checkOptions("DySample(inChannels)", dysampleOptions, options, arguments);
    for (const [name, n] of Object.entries({ inChannels, scale, groups })) {
      if (!Number.isInteger(n) || n < 1)
        throw new ValueError("DySample", `${name} must be an integer of at least 1`, String(n));
    }
    if (style !== "lp" && style !== "pl")
      throw new ValueError("DySample", 'style must be "lp" or "pl"', JSON.stringify(style));
    if (init !== "bilinear" && init !== "nearest") {
      throw new ValueError("DySample", 'init must be "bilinear" or "nearest"', JSON.stringify(init));
    }
    if (!(scope > 0 && scope < Infinity)) {
      throw new ValueError("DySample", "scope must be a number of pixels above 0", String(scope));
    }
    if (inChannels % groups !== 0) {
      throw new ValueError("DySample", `inChannels must be divisible by groups = ${groups}`, String(inChannels));
    }
    if (style === "pl" && inChannels % scale ** 2 !== 0) {
      throw new ValueError(
        "DySample",
        `with style "pl" inChannels must be divisible by scale*scale = ${scale ** 2}`,
        String(inChannels),
      );
    }
    const [from, to] = style === "lp" ? [inChannels, 2 * groups * scale ** 2] : [inChannels / scale ** 2, 2 * groups];
    this.offset = new Conv2d(from, to, 1, { random });
    this.offset.weight = new Parameter(normal(this.offset.weight.shape, { std: 0.001, random }));
    this.offset.bias = new Parameter(zeros([to]));
    this.scope = dyscope ? new Conv2d(from, to, 1, { bias: false, random }) : null;
    if (this.scope) this.scope.weight = new Parameter(zeros(this.scope.weight.shape));
    this.init_pos = new Buffer(
      init === "bilinear" ? initialPositions(scale, groups) : zeros([1, 2 * groups * scale ** 2, 1, 1]),
      { optional: true },
    );
    this.inChannels = inChannels;
    this.scale = scale;
    this.style = style;
    this.groups = groups;
    this.init = init;
    this.staticScope = scope;
  }

  /** Offsets that start far from zero do not train, so initialising the whole model leaves them alone. */
  override get keepsItsInitialization(): boolean {
    return true;
  }

  forward(x: Tensor): Tensor {
    return sampleAt(x, this.offsets(x), this.scale);
  }

  /**
   * Where the points lie relative to the centres of their input pixels, in input pixels: `[N, 2 G s², H, W]`.
   *
   * @throws {ShapeError} when `x` is not `[N, inChannels, H, W]`.
   */
  offsets(x: Tensor): Tensor {
    return add(this.moves(x), cast(this.init_pos.tensor, x.dtype));
  }

  /** How far the points have moved from where they start, in input pixels: `[N, 2 G s², H, W]`. */
  moves(x: Tensor): Tensor {
    checkTensor("DySample", "x", x);
    if (x.shape.length !== 4 || x.shape[1] !== this.inChannels) {
      throw new ShapeError("DySample", `x must be [N, C, H, W] with C = ${this.inChannels} channels`, { x: x.shape });
    }
    const features = this.style === "lp" ? x : pixelShuffle(x, this.scale);
    const moved = this.scope // at the start sigmoid(0) = 1/2 makes the dynamic scope the static one
      ? mul(mul(this.offset.forward(features), sigmoid(this.scope.forward(features))), 2 * this.staticScope)
      : mul(this.offset.forward(features), this.staticScope);
    return this.style === "lp" ? moved : pixelUnshuffle(moved, this.scale);
  }

  /**
   * Resamples `x` to any size, larger or smaller, with the same weights: the points are made where the output's pixels are. The offsets
   * are those of `offsets`, laid out over the s H x s W sub-pixels and resized bilinearly; a point starts where a bilinear resize to
   * that size reads. Equals `forward` where the size is s H x s W.
   *
   * Where the output is smaller than `x`, its points are more than a pixel apart, and offsets count in units of their distance. Each output still
   * reads four pixels only: a reduction by much more than 2 leaves pixels out, as a bilinear resize does.
   *
   * @param x - `[N, inChannels, H, W]`
   * @param size - `[P, Q]`, height and width of the output.
   * @returns `[N, inChannels, P, Q]`
   * @throws {ShapeError} when `x` is not `[N, inChannels, H, W]`.
   * @throws {ValueError} when a size is not an integer of at least 1, or the module does not start bilinear.
   *
   * @example
   * ```ts
   * const up = new DySample(8, { scale: 2 });
   * up.resize(zeros([1, 8, 40, 23]), [80, 45]).shape; // [1, 8, 80, 45]
   * up.resize(zeros([1, 8, 80, 45]), [40, 23]).shape; // [1, 8, 40, 23]
   * ```
   */
  resize(x: Tensor, size: readonly [height: number, width: number]): Tensor {
    if (!Array.isArray(size) || size.length !== 2 || !size.every((n) => Number.isInteger(n) && n >= 1)) {
      throw new ValueError(
        "DySample.resize",
        "size must be [P, Q], integers of at least 1",
        Array.isArray(size) ? `[${size.join(", ")}]` : showValue(size),
      );
    }
    if (this.init !== "bilinear") {
      throw new ValueError(
        "DySample.resize",
        'the module must have init "bilinear", whose points any size has',
        this.init,
      );
    }
    checkTensor("DySample.resize", "x", x);
    const [, C, H, W] = x.shape;
    const [P, Q] = size;
    const s = this.scale;
    const moves = pixelShuffle(this.moves(x), s); // [N, 2 G, s H, s W]
    const resized = P === s * H && Q === s * W ? moves : interpolate(moves, { size, mode: "bilinear" });
    const [N, G] = [x.shape[0], this.groups];
    // [N, 2, G, P, Q] to a grid per group, [N G, P, Q, 2]; a pixel is 2/W wide there.
    const perGroup = reshape(permute(reshape(resized, [N, 2, G, P, Q]), [0, 2, 3, 4, 1]), [N * G, P, Q, 2]);
    const perPixel = tensor([(2 / W) * Math.max(1, W / Q), (2 / H) * Math.max(1, H / P)], [2], { dtype: x.dtype });
    const grid = add(mul(perGroup, perPixel), regularGrid(P, Q, x.dtype));
    const y = gridSample(reshape(x, [N * G, C / G, H, W]), grid, { paddingMode: "border" });
    return reshape(y, [N, C, P, Q]);
  }

  /** Older checkpoints have a bias in the scope: it is taken over and used. */
  protected override prepareToLoad(names: ReadonlySet<string>): (() => void) | undefined {
    const { scope } = this;
    if (!scope || scope.bias || !names.has("scope.bias")) return undefined;
    scope.bias = new Parameter(zeros([scope.weight.shape[0]], { dtype: scope.weight.tensor.dtype }));
    return () => (scope.bias = null);
  }
}

/** Throws if a size is among the options: the weights have none, and each call may ask for another one. */
export function checkNoSize(name: string, options: object | null | undefined): void {
  if (typeof options !== "object" || options === null || !Object.hasOwn(options, "size")) return;
  const { size } = options as { readonly size?: unknown };
  const rule =
    "an option size does not exist, as one module upsamples to every size: DySample's resize(x, [P, Q]) does";
  throw new ValueError(name, rule, `size ${Array.isArray(size) ? `[${size.join(", ")}]` : showValue(size)}`);
}

/**
 * Samples `x` bilinearly at the centres of its pixels moved by `offsets`, each group of channels at its own points, clamped to
 * the border.
 *
 * @param x - `[N, C, H, W]`
 * @param offsets - `[N, 2 G s², H, W]` in input pixels, channels as in the `@file` comment; G must divide C.
 * @param scale - s
 * @returns `[N, C, s H, s W]`
 * @throws {ShapeError} when the channels of `offsets` are not 2 G s² with a G that divides C, or the sizes differ.
 */
export function sampleAt(x: Tensor, offsets: Tensor, scale: number): Tensor {
  checkTensors("sampleAt", { x, offsets });
  const [N, C, H, W] = x.shape;
  const G = offsets.shape[1] / (2 * scale ** 2);
  const fits =
    Number.isInteger(G) && C % G === 0 && offsets.shape[0] === N && offsets.shape[2] === H && offsets.shape[3] === W;
  if (!fits) {
    const rule = `offsets must be [N, 2*G*s*s, H, W] with x's N, H, W, s = ${scale} and a G that divides C`;
    throw new ShapeError("sampleAt", rule, { offsets: offsets.shape, x: x.shape });
  }
  return sampleAtOffsets(x, offsets, scale);
}

/** The centres of P x Q pixels in normalised coordinates, `[1, P, Q, 2]`: where a bilinear resize to that size reads. */
function regularGrid(P: number, Q: number, dtype: DType): Tensor {
  const values = [];
  for (let p = 0; p < P; p++) {
    for (let q = 0; q < Q; q++) values.push((2 * q + 1) / Q - 1, (2 * p + 1) / P - 1);
  }
  return tensor(values, [1, P, Q, 2], { dtype });
}

/** `[1, 2 G s², 1, 1]`: the offsets of a bilinear resize, the same for every group. */
function initialPositions(scale: number, groups: number): Tensor {
  const s = scale;
  const values = Array.from({ length: 2 * groups * s * s }, (_, channel) => {
    const j = channel % s;
    const i = Math.floor(channel / s) % s;
    const isX = channel < groups * s * s;
    return ((1 - s) / 2 + (isX ? j : i)) / s;
  });
  return tensor(values, [1, 2 * groups * s * s, 1, 1]);
}
