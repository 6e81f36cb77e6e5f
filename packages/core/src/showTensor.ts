/**
 * @file A tensor as text: its values where they are on the host, else how it will get them.
 *
 * Source: the layout of brackets and the cut in the middle are NumPy's, the four digits PyTorch's.
 */

import { formatShape, type Shape, size, stridesOf } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** Values that are shown, and those of them in a row: what fits on a screen. */
const mostShown = 200;
const mostInRow = 16;

/** Digits behind the point, and from which sizes on they are counted from the first digit instead. */
const digits = 4;
const smallest = 1e-4;
const largest = 1e6;

/**
 * The text of a tensor. Values on a device stay there, and what is not computed is not computed.
 *
 * @param options.name - what to call it. Default `Tensor`.
 * @param options.path - how a program gets from what is shown to the tensor. Default `t`.
 * @param options.notes - what else there is to say about it. Default nothing.
 */
export function showTensor(
  t: Tensor,
  { name = "Tensor", path = "t", notes = [] }: { name?: string; path?: string; notes?: readonly string[] } = {},
): string {
  const about = [`${t.dtype} ${formatShape(t.shape)}`, ...(t.requiresGrad ? ["requiresGrad"] : []), ...notes];
  if (!t.values) return `${name}(${[...about, stateOf(t, path)].join(", ")})`;
  const values = showValues(t.values, t.shape);
  return `${name}(${about.join(", ")})${values.includes("\n") ? "\n" : " "}${values}`;
}

/** Where a tensor without values on the host has them, or will have them from. */
function stateOf({ gone, held, recipe }: Tensor, path: string): string {
  if (gone !== null) return `its values are gone: ${gone}`;
  if (held) return `computed on ${held.device.name}; await ${path}.data() reads it`;
  const inputs = recipe!.inputs.map(({ shape }) => formatShape(shape)).join(", ");
  return `not computed yet: ${recipe!.op.name} of ${inputs}; await ${path}.data() computes it`;
}

function showValues(values: ArrayLike<number>, shape: Shape): string {
  const edge = edgeOf(shape);
  const strides = stridesOf(shape);
  const shown: number[] = [];
  // Twice over the same places: the first time to see which values there are, the second time to print them.
  const visit = (axis: number, offset: number, show: (value: number) => string): string => {
    if (axis === shape.length) return show(values[offset]);
    const entries = indices(shape[axis], edge).map((i) =>
      i === null ? "..." : visit(axis + 1, offset + i * strides[axis], show),
    );
    const newline = `,${"\n".repeat(shape.length - axis - 1)}${" ".repeat(axis + 1)}`;
    return `[${entries.join(axis === shape.length - 1 ? ", " : newline)}]`;
  };
  visit(0, 0, (value) => {
    shown.push(value);
    return "";
  });
  return visit(0, 0, formatter(shown));
}

/** How many entries of a long axis are shown at each of its ends: all, or fewer until what is shown fits. */
function edgeOf(shape: Shape): number {
  const fits = (edge: number): boolean => {
    const shown = shape.map((dim) => Math.min(dim, 2 * edge + 1));
    return size(shown) <= mostShown && (shown.at(-1) ?? 0) <= mostInRow;
  };
  return [Infinity, 3, 2, 1].find(fits) ?? 0;
}

/** The entries of an axis of size `dim` that are shown; `null` for those between its two ends. */
function indices(dim: number, edge: number): (number | null)[] {
  if (dim <= 2 * edge + 1) return Array.from({ length: dim }, (_, i) => i);
  const ends = Array.from({ length: edge }, (_, i) => i);
  return [...ends, null, ...ends.map((i) => dim - edge + i)];
}

/** One form for all of `values`, so that columns are aligned: whole numbers, a few digits behind the point, or powers of ten. */
function formatter(values: readonly number[]): (value: number) => string {
  const finite = values.filter(Number.isFinite);
  const sizes = finite.map(Math.abs).filter((value) => value > 0);
  const whole = finite.every(Number.isInteger) && sizes.every((value) => value < 1e10);
  const plain = whole || sizes.every((value) => value >= smallest && value < largest);
  const write = (value: number, behind: number): string => {
    if (!Number.isFinite(value)) return String(value);
    const text = plain ? value.toFixed(behind) : value.toExponential(behind);
    return Object.is(value, -0) ? `-${text}` : text;
  };
  const needed = (value: number): number => /\.(\d*?)0*(e|$)/.exec(write(value, digits))?.[1].length ?? 0;
  const behind = finite.reduce((most, value) => Math.max(most, needed(value)), 0);
  const width = values.reduce((most, value) => Math.max(most, write(value, behind).length), 0);
  return (value) => write(value, behind).padStart(width);
}
