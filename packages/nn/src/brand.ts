/**
 * @file A mark on the parameters, buffers and modules of every copy of this package. Those of another copy are none here: `instanceof`
 * says no, and without the mark they would be passed over.
 */

import { otherCopy, ValueError } from "@gridgrad/core";

/** Holds what the object is, in words. */
export const nnBrand: unique symbol = Symbol.for("@gridgrad/nn");

/** Throws if `value` belongs to another copy. The caller has made sure that it is none of this one. */
export function checkForeign(op: string, rule: string, value: unknown): void {
  const { [nnBrand]: kind } = Object(value) as { readonly [nnBrand]?: string };
  if (kind !== undefined) throw new ValueError(op, ...otherCopy("@gridgrad/nn", rule, kind));
}
