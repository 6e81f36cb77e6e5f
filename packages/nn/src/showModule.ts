/**
 * @file A module as a tree: of each module in it the class, the options, the number of its parameters, and their shapes.
 *
 * Source: the tree is PyTorch's `print(model)`.
 */

import { formatShape } from "@gridgrad/core";

import type { Module } from "./module.ts";
import { showOptions } from "./showOptions.ts";
import { type Buffer, Parameter } from "./slot.ts";

/** The text of a module: a line for itself, and one for each module in it. */
export function showModule(module: Module): string {
  const [own, ...below] = linesOf(module, "", new Map());
  return [module.training ? own : `${own}; in evaluation`, ...below].join("\n");
}

/** The modules that a module keeps in its own fields, by name. */
export function childrenOf(module: Module): [name: string, child: Module][] {
  const children: [string, Module][] = [];
  for (const [path, each] of module.namedModules()) {
    const last = children.at(-1)?.[0];
    const isBelowLast = last !== undefined && path.startsWith(`${last}.`); // a module stands before those in it
    if (path !== "" && !isBelowLast) children.push([path, each]);
  }
  return children;
}

/** @param shown - the modules that have a line, by their paths: one that is in two places has its lines once. */
function linesOf(module: Module, path: string, shown: Map<Module, string>): string[] {
  shown.set(module, path);
  const below = childrenOf(module).flatMap(([name, child]) => {
    const first = shown.get(child);
    const childPath = path === "" ? name : `${path}.${name}`;
    const [own, ...rest] = first === undefined ? linesOf(child, childPath, shown) : [`the same as ${first}`];
    return [`${name}: ${own}`, ...rest].map((line) => `  ${line}`);
  });
  return [showOne(module), ...below];
}

/** `Conv2d(padding: 1), 80 parameters: weight [8, 1, 3, 3], bias [8]` */
function showOne(module: Module): string {
  const { training: _mode, ...fields } = module;
  const options = showOptions(fields);
  const names = childrenOf(module).map(([name]) => `${name}.`);
  const own = [...module.namedSlots()].filter(([path]) => !names.some((name) => path.startsWith(name)));
  const shapes = (of: (slot: Parameter | Buffer) => boolean): string =>
    own.flatMap(([name, slot]) => (of(slot) ? [`${name} ${formatShape(slot.shape)}`] : [])).join(", ");
  const parameters = shapes((slot) => slot instanceof Parameter);
  const buffers = shapes((slot) => !(slot instanceof Parameter));
  const count = module.parameterCount === 0 ? "" : `, ${countParameters(module)}`;
  const kind = module.constructor.name + (options === "" ? "" : `(${options})`);
  return `${kind}${count}${parameters && `: ${parameters}`}${buffers && `; buffers ${buffers}`}`;
}

/** `80 parameters, 8 of them frozen` */
export function countParameters(module: Module): string {
  const frozen = module.parameters().reduce((total, p) => total + (p.trainable ? 0 : p.size), 0);
  const count = module.parameterCount;
  const ofThem = frozen === 0 ? "" : frozen === count ? ", frozen" : `, ${frozen} of them frozen`;
  return `${count} ${count === 1 ? "parameter" : "parameters"}${ofThem}`;
}
