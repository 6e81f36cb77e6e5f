/** @file Whether an argument is a module of this copy of the package. */

import { showValue, ValueError } from "@gridgrad/core";

import { checkForeign } from "./brand.ts";
import { Module } from "./module.ts";
import { Slot } from "./slot.ts";

/** Throws unless `model` is a Module. */
export function checkModule(op: string, model: unknown): asserts model is Module {
  if (model instanceof Module) return;
  const rule = "the model must be a module";
  if (!(model instanceof Slot)) checkForeign(op, rule, model);
  throw new ValueError(op, rule, showValue(model));
}
