/** @file What an optimiser trains, checked: parameters, and not a module, tensors, or groups of parameters. */

import { showValue, ValueError } from "@gridgrad/core";

import { checkForeign } from "./brand.ts";
import { Module } from "./module.ts";
import { Parameter, Slot } from "./slot.ts";

/**
 * The parameters, each once.
 *
 * @param optimizer - its name, for messages.
 * @throws {ValueError} when there is none, or something else is among them.
 */
export function checkParameters(optimizer: string, parameters: Iterable<Parameter>): Parameter[] {
  const rule = "parameters must be a list of parameters";
  const given: unknown = parameters;
  if (given instanceof Module) {
    throw new ValueError(optimizer, rule, `${showValue(given)}; write new ${optimizer}(model.parameters(), { .. })`);
  }
  if (!(given instanceof Slot)) checkForeign(optimizer, rule, given);
  if (typeof given !== "object" || given === null || !(Symbol.iterator in given)) {
    throw new ValueError(optimizer, rule, showValue(given));
  }
  const list = [...new Set<unknown>(parameters)];
  if (list.length === 0) throw new ValueError(optimizer, "parameters must hold at least one parameter", "none");
  for (const parameter of list) {
    if (parameter instanceof Parameter) continue;
    if (!(parameter instanceof Slot || parameter instanceof Module)) checkForeign(optimizer, rule, parameter);
    throw new ValueError(optimizer, rule, `${showValue(parameter)} among them; model.parameters() lists a model's`);
  }
  return list as Parameter[];
}
