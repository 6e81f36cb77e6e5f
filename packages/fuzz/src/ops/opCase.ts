/** @file A call of an op as plain data, and how its parts are drawn. */

import { leaf, Random, type Shape, size, type Tensor } from "@gridgrad/core";
import fc from "fast-check";

import { type Draw, integer, numbers, once, pick } from "../draw.ts";

/** A tensor of a call. Floating values are those of float32, and become float64 where that is asked for. */
export interface Input {
  readonly shape: Shape;
  readonly dtype: "float" | "int32";
  readonly values: readonly number[];
}

/** A call with its arguments taken apart, so that they can be printed, and changed into illegal ones. */
export interface OpCase<Args extends object = object> {
  readonly inputs: readonly Input[];
  /** Everything that is not a tensor. */
  readonly args: Args;
  call(xs: readonly Tensor[], args: Args): Tensor | readonly Tensor[];
}

/** Draws a legal call of one op. */
export type DrawCase = (d: CaseDraw) => OpCase;

/** An `OpCase` whose `call` knows the type of its `args`. */
export function opCase<Args extends object>(
  inputs: readonly Input[],
  args: Args,
  call: (xs: readonly Tensor[], args: Args) => Tensor | readonly Tensor[],
): OpCase {
  return { inputs, args, call } as OpCase;
}

/** What the values of a case are like. */
export type Flavour = "ordinary" | "special" | "extreme";

/** Beside numbers, in cases that are special. */
export const specials = [NaN, Infinity, -Infinity, -0, 0];

/** Numbers near the ends of float32: subnormal, small, large. Sums and products of them overflow and vanish. */
const extremes = [1e-40, -1e-40, 1e-30, 1e30, -1e30, 3e38, -3e38, ...specials].map(Math.fround);

/** Elements up to which each value is drawn by itself, and can shrink by itself. Larger tensors come from one seed. */
const mostDrawn = 64;

/** What a case is wanted for. */
export interface CaseOptions {
  readonly flavour?: Flavour;
  readonly large?: boolean;
  readonly order?: number;
}

/** Draws the parts of a call. */
export class CaseDraw {
  readonly draw: Draw;
  readonly flavour: Flavour;
  /** Whether there shall be work for several threads. */
  readonly large: boolean;
  /** Of the gradients that are wanted. */
  readonly order: number;

  constructor(draw: Draw, { flavour = "ordinary", large = false, order = 1 }: CaseOptions = {}) {
    this.draw = draw;
    this.flavour = flavour;
    this.large = large;
    this.order = order;
  }

  int(min: number, max: number): number {
    return integer(this.draw, min, max);
  }

  pick<T>(choices: readonly T[]): T {
    return pick(this.draw, choices);
  }

  /** True once in `n` cases. */
  once(n = 2): boolean {
    return once(this.draw, n);
  }

  /** A size of an axis; 0 now and then. */
  dim(max = 4): number {
    return this.once(24) ? 0 : this.int(1, max);
  }

  /** A size of an axis along which an image has pixels, larger where there shall be work. */
  pixels(max = 5): number {
    return this.large ? this.int(8, 28) : this.int(1, max);
  }

  /** Channels, a multiple of `factor`. */
  channels(factor = 1, max = 3): number {
    return factor * (this.large ? this.int(1, 8) : this.int(1, max));
  }

  shape(minRank = 0, maxRank = 4): number[] {
    const rank = this.int(minRank, maxRank);
    return Array.from({ length: rank }, () => (this.large ? this.int(1, 24) : this.dim()));
  }

  /** `[N, C, H, W]` with pixels; no images now and then. */
  image(C = this.channels()): [number, number, number, number] {
    return [this.once(24) ? 0 : this.int(1, 2), C, this.pixels(), this.pixels()];
  }

  /** Two shapes that broadcast to one. */
  broadcasting(count = 2): number[][] {
    const out = this.shape(0, 3);
    const whole = this.int(0, count - 1);
    return Array.from({ length: count }, (_, k) => {
      if (k === whole || this.once()) return out;
      return out.slice(this.int(0, out.length)).map((dim) => (this.once(3) ? 1 : dim));
    });
  }

  /** Two lists of leading axes that broadcast, of few elements. */
  batches(): number[][] {
    const whole = Array.from({ length: this.int(0, 2) }, () => this.dim(3));
    const other = whole.slice(this.int(0, whole.length)).map((dim) => (this.once(3) ? 1 : dim));
    return this.once() ? [whole, other] : [other, whole];
  }

  /** An axis of a shape, also counted from the back. */
  axis(shape: Shape): number {
    return this.int(-shape.length, shape.length - 1);
  }

  /** Different axes of a shape: one, several, none. */
  axes(shape: Shape): number[] {
    return shape.flatMap((_, axis) => (this.once() ? [this.once(4) ? axis - shape.length : axis] : []));
  }

  /** A number, or a pair for height and width. */
  pair(min: number, max: number): number | [number, number] {
    const first = this.int(min, max);
    return this.once(3) ? [first, this.int(min, max)] : first;
  }

  /** Multiples of 1/64 in [min, max], which float32 holds, and so do most sums and products of a few of them. */
  float(shape: Shape, { min = -2, max = 2 }: { readonly min?: number; readonly max?: number } = {}): Input {
    const values = this.#numbers(size(shape), min * 64, max * 64).map((n) => n / 64);
    if (this.flavour !== "ordinary" && values.length > 0 && this.once()) {
      const choices = this.flavour === "special" ? specials : extremes;
      const count = this.int(1, Math.min(3, values.length));
      for (let k = 0; k < count; k++) values[this.int(0, values.length - 1)] = this.pick(choices);
    }
    return { shape, dtype: "float", values };
  }

  int32(shape: Shape, min = -8, max = 8): Input {
    return { shape, dtype: "int32", values: this.#numbers(size(shape), min, max) };
  }

  /** int32 once in a while, else floating. */
  any(shape: Shape): Input {
    return this.once(6) ? this.int32(shape) : this.float(shape);
  }

  #numbers(count: number, min: number, max: number): number[] {
    if (count > mostDrawn) {
      const random = new Random(this.int(0, 2 ** 31));
      return Array.from({ length: count }, () => min + Math.floor(random.next() * (max - min + 1)));
    }
    return [...numbers(this.draw, count, Math.ceil(min), Math.floor(max))];
  }
}

/** The tensors of a call. */
export function leavesOf(inputs: readonly Input[], dtype: "float32" | "float64"): Tensor[] {
  return inputs.map(({ shape, dtype: kind, values }) => {
    if (kind === "int32") return leaf(shape, "int32", Int32Array.from(values));
    return leaf(shape, dtype, dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values));
  });
}

/** The call as a person reads it, and as JavaScript does. */
export function showCase(name: string, { inputs, args }: OpCase): string {
  const tensors = inputs.map(({ shape, dtype, values }) => {
    const shown = values.length > mostDrawn ? `${values.length} values` : fc.stringify(values);
    return `${dtype === "int32" ? "int32 " : ""}[${shape.join(", ")}] of ${shown}`;
  });
  return `${name}(${[...tensors, fc.stringify(args)].join(", ")})`;
}
