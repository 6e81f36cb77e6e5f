/**
 * @file Module: a part of a model, with its parameters and buffers.
 *
 * They are found by walking the fields: a parameter in `this.up0.offset.weight` is called `up0.offset.weight`, and
 * entry 2 of an array in `this.layers` is `layers.2`. Field names follow PyTorch's modules, so these names are the keys of
 * PyTorch's `state_dict`, and weights go to Python and back.
 */

import {
  allocate,
  type DType,
  entryToTensor,
  leaf,
  readValues,
  type SafetensorsEntry,
  sameShape,
  type Tensor,
  valuesToEntry,
  ValueError,
} from "@gridgrad/core";

import { Buffer, Parameter } from "./slot.ts";

/** Named tensors, as safetensors files hold them. */
export type StateDict = Readonly<Record<string, SafetensorsEntry>>;

export interface LoadOptions {
  /** Names that neither the state nor the module may be without. `false` loads what matches. Default true. */
  readonly strict?: boolean;
}

export abstract class Module {
  /** Whether layers that tell them apart (batch norm) are in training or evaluation. Set it with `train()` and `eval()`. */
  training = true;

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

  modules(): Module[] {
    return [...this.namedModules().values()];
  }

  /** Parameters by their paths. One that is in two places has two names. */
  namedParameters(): Map<string, Parameter> {
    return this.#named(Parameter);
  }

  /** Parameters, each once. */
  parameters(): Parameter[] {
    return [...new Set(this.namedParameters().values())];
  }

  /** Buffers by their paths. */
  namedBuffers(): Map<string, Buffer> {
    return this.#named(Buffer);
  }

  /** Number of elements of all parameters. */
  get parameterCount(): number {
    return this.parameters().reduce((total, p) => total + p.size, 0);
  }

  /**
   * Calls `visitor` for every module in this one, children before parents, as initialisers of whole models do. It leaves out the
   * insides of modules that keep their initialisation, such as DySample: offsets that start anywhere else than near zero do not train.
   */
  apply(visitor: (module: Module) => void): this {
    const kept = [...this.namedModules()].filter(([, m]) => m.keepsItsInitialization).map(([path]) => path);
    for (const [path, module] of [...this.namedModules()].reverse()) {
      if (!kept.some((outer) => path === outer || path.startsWith(`${outer}.`) || outer === "")) visitor(module);
    }
    return this;
  }

  /** The values of all parameters and buffers by their names. */
  async stateDict(): Promise<Record<string, SafetensorsEntry>> {
    const state: Record<string, SafetensorsEntry> = {};
    for (const [name, slot] of this.#slots())
      state[name] = valuesToEntry(slot.shape, (await readValues(slot.tensor)).slice());
    return state;
  }

  /**
   * Replaces all parameters and buffers, or none: names and shapes are checked before the first one is touched. Values are
   * converted to the slots' element types.
   *
   * @param state - entries by the names that `stateDict` gives, such as a safetensors file holds them.
   * @throws {ValueError} that lists every name that is missing, unexpected or of another shape.
   */
  loadStateDict(state: StateDict, { strict = true }: LoadOptions = {}): void {
    for (const [path, module] of this.namedModules()) {
      const prefix = path === "" ? "" : `${path}.`;
      const names = Object.keys(state).filter((name) => name.startsWith(prefix));
      module.prepareToLoad(new Set(names.map((name) => name.slice(prefix.length))));
    }
    const slots = this.#slots();
    const problems: string[] = [];
    const wanted: [Parameter | Buffer, Tensor][] = [];
    for (const [name, slot] of slots) {
      const entry = Object.hasOwn(state, name) ? state[name] : undefined;
      if (!entry) {
        const mayLack = !strict || (slot instanceof Buffer && slot.optional);
        if (!mayLack) problems.push(`${name} is missing`);
      } else if (!sameShape(entry.shape, slot.shape)) {
        problems.push(`${name} must have shape [${slot.shape.join(", ")}], got [${entry.shape.join(", ")}]`);
      } else {
        wanted.push([slot, convert(entry, slot.tensor.dtype)]);
      }
    }
    if (strict) {
      for (const name of Object.keys(state)) if (!slots.has(name)) problems.push(`${name} is unexpected`);
    }
    if (problems.length > 0) {
      throw new ValueError(
        "loadStateDict",
        "the state must fit the module",
        `${problems.length} problems: ${problems.join("; ")}`,
      );
    }
    for (const [slot, values] of wanted) slot.set(values);
  }

  /** Converts every floating parameter and buffer to `dtype`. */
  async to(dtype: Exclude<DType, "int32">): Promise<this> {
    for (const slot of this.#slots().values()) {
      const { tensor } = slot;
      if (tensor.dtype === "int32" || tensor.dtype === dtype) continue;
      const values = allocate(dtype, tensor.size);
      values.set(await readValues(tensor));
      slot.set(leaf(tensor.shape, dtype, values));
    }
    return this;
  }

  /** Told which names below this module a state has, before it is loaded: to take over older layouts of it. */
  protected prepareToLoad(_names: ReadonlySet<string>): void {}

  #slots(): Map<string, Parameter | Buffer> {
    return new Map<string, Parameter | Buffer>([...this.namedParameters(), ...this.namedBuffers()]);
  }

  #named<T extends object>(kind: abstract new (...args: never[]) => T): Map<string, T> {
    const found = new Map<string, T>();
    visit(this, "", (path, value) => {
      if (value instanceof kind) found.set(path, value);
    });
    return found;
  }
}

/** Calls `found` with every module, parameter and buffer at or below `value`, in the order of the fields. */
function visit(
  value: unknown,
  path: string,
  found: (path: string, value: object) => void,
  above: ReadonlySet<object> = new Set(),
): void {
  if (value instanceof Parameter || value instanceof Buffer) {
    found(path, value);
  } else if (value instanceof Module || Array.isArray(value)) {
    if (above.has(value)) throw new ValueError("Module", "a module must not contain itself", `a cycle at ${path}`);
    if (value instanceof Module) found(path, value);
    const inside = new Set(above).add(value);
    for (const [key, child] of Object.entries(value)) visit(child, path === "" ? key : `${path}.${key}`, found, inside);
  }
}

function convert(entry: SafetensorsEntry, dtype: DType): Tensor {
  const t = entryToTensor(entry);
  if (t.dtype === dtype) return t;
  const values = allocate(dtype, t.size);
  values.set(t.values!);
  return leaf(t.shape, dtype, values);
}
