/**
 * @file Draws of a case. They come from fast-check, which remembers them, so that a case that fails can be made smaller: numbers
 * shrink towards the least, choices towards the first, lists towards the empty one.
 */

import fc from "fast-check";

import { Numbers } from "./numbers.ts";

/** Draws a value from an arbitrary: `draw(fc.nat, 7)`. */
export type Draw = fc.GeneratorValue;

/** An integer in [min, max]. */
export function integer(draw: Draw, min: number, max: number): number {
  return min + draw(fc.nat, max - min);
}

/** One of a few. It shrinks to the first. */
export function pick<T>(draw: Draw, choices: readonly T[]): T {
  return choices[draw(fc.nat, choices.length - 1)];
}

/** True once in `n` cases. It shrinks to false. */
export function once(draw: Draw, n: number): boolean {
  return draw(fc.nat, n - 1) === n - 1;
}

/** One of a few functions, called. */
export function pickCall<T>(draw: Draw, choices: readonly (() => T)[]): T {
  return pick(draw, choices)();
}

/** A list of what `one` draws. */
export function list<T>(draw: Draw, min: number, max: number, one: (i: number) => T): T[] {
  return Array.from({ length: integer(draw, min, max) }, (_, i) => one(i));
}

/** Whole numbers in [min, max]. */
export function numbers(draw: Draw, count: number, min: number, max: number): readonly number[] {
  return draw(numbersOf, count, min, max);
}

/** Random bytes. */
export function bytesOf(draw: Draw, count: number): Uint8Array {
  return Uint8Array.from(numbers(draw, count, 0, 255));
}

function numbersOf(count: number, min: number, max: number): Numbers {
  return new Numbers(count, min, max);
}
