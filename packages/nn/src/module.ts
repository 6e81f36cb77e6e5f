/**
 * @file Module: a part of a model, with its parameters and buffers.
 *
 * They are found by walking the fields: a parameter in `this.up0.offset.weight` is called `up0.offset.weight`, and
 * entry 2 of an array in `this.layers` is `layers.2`. Field names follow PyTorch's modules, so these names are the keys of
 * PyTorch's `state_dict`, and weights go to Python and back.
 */

import {
  allocate,
  checkDType,
  checkOptions,
  type DType,
  entryToTensor,
  isFloat,
  leaf,
  type OptionNames,
  readValues,
  realize,
  type SafetensorsEntry,
  sameShape,
  Shown,
  showValue,
  type Tensor,
  ValueError,
  type Values,
  valuesToEntry,
} from "@gridgrad/core";

import { checkForeign, nnBrand } from "./brand.ts";
import { misfit } from "./misfit.ts";
import { showModule } from "./showModule.ts";
import { Buffer, Parameter } from "./slot.ts";

/** Named tensors, as safetensors files hold them. */
export type StateDict = Readonly<Record<string, SafetensorsEntry>>;

export interface LoadOptions {
  /** Whether a name that only the state or only the module has is an error. Default true. */
  readonly strict?: boolean;
}

export const loadOptions: OptionNames<LoadOptions> = { strict: 1 };

/** Names that did not meet when a state was loaded. */
export interface LoadResult {
  /** Parameters and buffers that the state lacks; they are as they were. */
  readonly missing: string[];
  /** Names of the state that the module lacks. */
  readonly unexpected: string[];
}

/**
 * A part of a model. A subclass keeps parameters, buffers and other modules in its fields (private `#` fields are not found)
 * and has a method, usually `forward`, that records ops.
 *
 * @example
 * ```ts
 * class Net extends Module {
 *   up = new Conv2d(2, 4, 1);
 *   layers = [new ReLU(), new Conv2d(1, 1, 3, { bias: false })];
 * }
 * const net = new Net();
 * [...net.namedParameters().keys()].join(" "); // up.weight up.bias layers.1.weight
 * net.parameterCount; // 21
 * ```
 */
export abstract class Module extends Shown {
  get [nnBrand](): string {
    return "a module";
  }

  /** Whether layers that tell the two apart (batch norm) are in training or evaluation. Set it with `train()` and `eval()`. */
  training = true;

  /** A tree: a line for this module and one for each in it, with options, numbers of parameters and shapes. */
  toString(): string {
    return showModule(this);
  }

  /** True for a module whose own initialisation must survive one of the whole model. See `apply`. */
  get keepsItsInitialization(): boolean {
    return false;
  }

  /** Puts this module and those in it into training. Returns itself. */
  train(training = true): this {
    for (const module of this.modules()) module.training = training;
    return this;
  }

  /** Puts this module and those in it into evaluation. Returns itself. */
  eval(): this {
    return this.train(false);
  }

  /** This module and all in it, by their paths; its own is `""`. */
  namedModules(): Map<string, Module> {
    const found = new Map<string, Module>();
    visit(this, "", (path, value) => {
      if (value instanceof Module) found.set(path, value);
    });
    return found;
  }

  /** This module and all in it, each once. */
  modules(): Module[] {
    return [...new Set(this.namedModules().values())];
  }

  /** Parameters and buffers by their paths, in the order of the fields: what `stateDict` reads. */
  namedSlots(): Map<string, Parameter | Buffer> {
    const found = new Map<string, Parameter | Buffer>();
    visit(this, "", (path, value) => {
      if (!(value instanceof Module)) found.set(path, value);
    });
    return found;
  }

  /** Parameters by their paths. One that is in two places has two names. */
  namedParameters(): Map<string, Parameter> {
    return new Map(
      [...this.namedSlots()].filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter),
    );
  }

  /** Parameters, each once. */
  parameters(): Parameter[] {
    return [...new Set(this.namedParameters().values())];
  }

  /** Buffers by their paths. */
  namedBuffers(): Map<string, Buffer> {
    return new Map([...this.namedSlots()].filter((entry): entry is [string, Buffer] => entry[1] instanceof Buffer));
  }

  /** Number of elements of all parameters. */
  get parameterCount(): number {
    return this.parameters().reduce((total, p) => total + p.size, 0);
  }

  /**
   * Calls `visitor` once for every module in this one, children before parents, as initialisers of whole models do. It leaves
   * out modules that keep their initialisation, with all in them, such as DySample: offsets that start anywhere else than near
   * zero do not train.
   *
   * @example
   * ```ts
   * const net = new Sequential(new Linear(2, 1, { bias: false }), new ReLU());
   * net.apply((m) => {
   *   if (m instanceof Linear) m.weight.set(constant(m.weight.shape, 0.5));
   * });
   * await net.forward(tensor([2, 4])).data(); // [3]
   * ```
   */
  apply(visitor: (module: Module) => void): this {
    const all = [...this.namedModules()];
    const kept = all.filter(([, m]) => m.keepsItsInitialization).map(([path]) => path);
    const isKept = (path: string): boolean =>
      kept.some((outer) => outer === "" || path === outer || path.startsWith(`${outer}.`));
    const due = all.filter(([path]) => !isKept(path)).map(([, module]) => module);
    for (const module of new Set(due.reverse())) visitor(module);
    return this;
  }

  /** The values of all parameters and buffers by their names, all of the same moment. */
  stateDict(): Promise<Record<string, SafetensorsEntry>> {
    return readEntries(new Map([...this.namedSlots()].map(([name, slot]) => [name, slot.tensor])));
  }

  /**
   * Replaces all parameters and buffers, or none: names and shapes are checked before the first one is touched. Values are
   * converted to the slots' element types.
   *
   * @param state - entries by the names that `stateDict` gives, such as a safetensors file holds them.
   * @returns the names that only one of the two has. There are none but for `{ strict: false }` and optional buffers.
   * @throws {ValueError} that lists the names that are missing, unexpected, of another shape, or not of integers where the slot is.
   *
   * @example
   * ```ts
   * const layer = new Linear(2, 1);
   * const { weight } = await layer.stateDict();
   * const { missing, unexpected } = layer.loadStateDict({ weight, scale: weight }, { strict: false });
   * missing; // ["bias"]
   * unexpected; // ["scale"]
   * ```
   */
  loadStateDict(state: StateDict, options?: LoadOptions): LoadResult {
    const { strict = true } = checkOptions("loadStateDict(state)", loadOptions, options, arguments);
    if (typeof state !== "object" || state === null)
      throw new ValueError("loadStateDict", "state must hold entries by their names", showValue(state));
    const undo = [...this.namedModules()].map(([path, module]) => {
      const prefix = path === "" ? "" : `${path}.`;
      const names = Object.keys(state).filter((name) => name.startsWith(prefix));
      return module.prepareToLoad(new Set(names.map((name) => name.slice(prefix.length))));
    });
    const slots = this.namedSlots();
    const problems: string[] = [];
    const missing: string[] = [];
    const unexpected = Object.keys(state).filter((name) => !slots.has(name));
    const wanted: [Parameter | Buffer, Tensor][] = [];
    for (const [name, slot] of slots) {
      const entry = Object.hasOwn(state, name) ? state[name] : undefined;
      if (!entry) {
        missing.push(name);
        const mayLack = !strict || (slot instanceof Buffer && slot.optional);
        if (!mayLack) problems.push(`${name} is missing`);
      } else if (!Array.isArray(entry.shape) || !ArrayBuffer.isView(entry.values)) {
        problems.push(`${name} must be an entry { dtype, shape, values }, got ${showValue(entry)}`);
      } else if (!sameShape(entry.shape, slot.shape)) {
        problems.push(`${name} must have shape [${slot.shape.join(", ")}], got [${entry.shape.join(", ")}]`);
      } else if (!isFloat(slot.tensor.dtype) && entry.dtype.startsWith("F")) {
        problems.push(`${name} must hold integers, got ${entry.dtype}`);
      } else {
        wanted.push([slot, entryToLeaf(entry, slot.tensor.dtype)]);
      }
    }
    if (strict) problems.push(...unexpected.map((name) => `${name} is unexpected`));
    if (problems.length > 0) {
      for (const each of undo) each?.();
      const required = [...slots].flatMap(([name, slot]) => (slot instanceof Buffer && slot.optional ? [] : [name]));
      throw new ValueError("loadStateDict", "the state must fit the module", misfit(problems, state, required));
    }
    for (const [slot, values] of wanted) slot.set(values);
    return { missing, unexpected };
  }

  /**
   * Converts every floating parameter and buffer to `dtype`. Do it before training: the state of an optimiser stays as it is.
   *
   * @throws {ValueError} when `dtype` is none of the two.
   */
  async to(dtype: Exclude<DType, "int32">): Promise<this> {
    checkDType("Module.to", dtype);
    if (!isFloat(dtype))
      throw new ValueError("Module.to", 'dtype must be "float32" or "float64"', JSON.stringify(dtype));
    const slots = new Set(this.namedSlots().values());
    const due = [...slots].filter(({ tensor }) => isFloat(tensor.dtype) && tensor.dtype !== dtype);
    const values = await readTogether(due.map((slot) => slot.tensor)); // recorded updates of buffers need what goes below
    due.forEach((slot, i) => slot.set(leaf(slot.shape, dtype, converted(values[i], dtype))));
    return this;
  }

  /**
   * Told which names below this module a state has, before it is loaded: to take over older layouts of it. May return a
   * function that undoes what it did, for a state that does not fit after all.
   */
  protected prepareToLoad(_names: ReadonlySet<string>): (() => void) | void {}
}

/** Calls `found` with every module, parameter and buffer at or below `value`, in the order of the fields. */
function visit(
  value: unknown,
  path: string,
  found: (path: string, value: Module | Parameter | Buffer) => void,
  above: ReadonlySet<object> = new Set(),
): void {
  if (value instanceof Parameter || value instanceof Buffer) {
    found(path, value);
  } else if (value instanceof Module || Array.isArray(value)) {
    if (above.has(value)) throw new ValueError("Module", "a module must not contain itself", `a cycle at ${path}`);
    if (value instanceof Module) found(path, value);
    const inside = new Set(above).add(value);
    for (const [key, child] of Object.entries(value)) visit(child, path === "" ? key : `${path}.${key}`, found, inside);
  } else {
    checkForeign("Module", `${path} must be of this copy of the package`, value);
  }
}

/** The entries of tensors, all of the same moment. */
export async function readEntries(tensors: ReadonlyMap<string, Tensor>): Promise<Record<string, SafetensorsEntry>> {
  const values = await readTogether([...tensors.values()]);
  return Object.fromEntries(
    [...tensors].map(([name, { shape }], i) => [name, valuesToEntry(shape, values[i].slice())]),
  );
}

/**
 * Everything is asked for before anything is awaited: graphs run in the order in which they are asked for, so a training step
 * that comes in between replaces nothing before it is read.
 */
async function readTogether(tensors: readonly Tensor[]): Promise<Values[]> {
  // Computed together, as recorded updates of buffers share a forward pass.
  const [, ...values] = await Promise.all([realize(...tensors), ...tensors.map(readValues)]);
  return values;
}

/** A leaf with an entry's values converted to `dtype`. */
export function entryToLeaf(entry: SafetensorsEntry, dtype: DType): Tensor {
  const t = entryToTensor(entry);
  return t.dtype === dtype ? t : leaf(t.shape, dtype, converted(t.values!, dtype));
}

function converted(values: Values, dtype: DType): Values {
  const result = allocate(dtype, values.length);
  result.set(values);
  return result;
}
