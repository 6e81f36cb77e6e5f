/** @file How far the windows of avgPool2d count what lies outside of the image. */

import type { Pair } from "../windows.ts";
import type { AvgPoolAttrs } from "./avgPool2d.ts";

/** Pixels outside of x that count, on each side. */
export function marginOf({ countIncludePad, padding }: AvgPoolAttrs): Pair {
  return countIncludePad ? padding : [0, 0];
}
