/**
 * @file The arguments of a golden case, checked as an adapter reads them, and its inputs. Both remember what was read:
 * a case of which something is not read says more than was tested, and is refused.
 */

import { GraphError } from "../errors.ts";
import { showJson } from "../safetensors.ts";
import type { Tensor } from "../tensor.ts";

/**
 * What an adapter says of an argument that a case may leave out: the value in its place. Python's None counts as left
 * out.
 */
type Absent<D> = readonly [absent?: D];

/**
 * Arguments of an op as PyTorch names them. Each method reads one of a type; its last argument, if there is one, takes
 * the place of what the case does not have.
 *
 * @throws {GraphError} when a case lacks an argument, or has one of another type.
 *
 * @example
 * ```ts
 * const attrs = new GoldenAttrs({ stride: [2, 1] });
 * attrs.pair("stride"); // [2, 1]
 * attrs.pair("dilation", 1); // 1
 * attrs.unread(); // []
 * ```
 */
export class GoldenAttrs {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #unread: Set<string>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
    this.#unread = new Set(Object.keys(values));
  }

  number<D = never>(name: string, ...absent: Absent<D>): number | D {
    return this.#read(name, "a finite number", isNumber, absent);
  }

  boolean<D = never>(name: string, ...absent: Absent<D>): boolean | D {
    return this.#read(name, "true or false", (value) => typeof value === "boolean", absent);
  }

  /** One of some words. */
  word<const W extends string, D = never>(name: string, words: readonly W[], ...absent: Absent<D>): W | D {
    const isWord = (value: unknown): value is W => words.includes(value as W);
    return this.#read(name, `one of ${words.join(", ")}`, isWord, absent);
  }

  numbers<D = never>(name: string, ...absent: Absent<D>): number[] | D {
    return this.#read(name, "an array of finite numbers", isNumbers, absent);
  }

  /** A number for both axes, or `[height, width]`. */
  pair<D = never>(name: string, ...absent: Absent<D>): number | [number, number] | D {
    return this.#read(name, "a finite number or a pair of them", (value) => isNumber(value) || isPair(value), absent);
  }

  pairs<D = never>(name: string, ...absent: Absent<D>): [number, number][] | D {
    const arePairs = (value: unknown): value is [number, number][] => Array.isArray(value) && value.every(isPair);
    return this.#read(name, "an array of pairs of finite numbers", arePairs, absent);
  }

  /**
   * Reads an argument that repeats what the case's tensors say.
   *
   * @throws {GraphError} when it says something else.
   */
  repeats(name: string, value: number | boolean): void {
    this.#read(name, `${value}, as the tensors say`, (given): given is typeof value => given === value, []);
  }

  /** The names of what was not read. */
  unread(): string[] {
    return [...this.#unread];
  }

  #read<T, D>(name: string, rule: string, holds: (value: unknown) => value is T, absent: Absent<D>): T | D {
    this.#unread.delete(name);
    const value = Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
    if ((value === undefined || value === null) && absent.length > 0) return absent[0] as D;
    if (holds(value)) return value;
    throw new GraphError(
      `golden: attrs.${name} must be ${rule}, got ${value === undefined ? "none" : showJson(value)}`,
    );
  }
}

/** The inputs of a case by name. */
export type GoldenInputs = Readonly<Record<string, Tensor>>;

/**
 * Inputs that remember what was read.
 *
 * @throws {GraphError} when an input is read that the case does not have; `optionalInput` asks first.
 */
export function watchInputs(inputs: GoldenInputs): { readonly inputs: GoldenInputs; unread(): string[] } {
  const unread = new Set(Object.keys(inputs));
  const watched = new Proxy(inputs, {
    get(target, name) {
      if (typeof name === "symbol") return undefined;
      if (!Object.hasOwn(target, name)) {
        const names = Object.keys(target).join(", ") || "none";
        throw new GraphError(`golden: the case must have the input ${name}, got ${names}`);
      }
      unread.delete(name);
      return target[name];
    },
  });
  return { inputs: watched, unread: () => [...unread] };
}

/** An input that a case may leave out. */
export function optionalInput(inputs: GoldenInputs, name: string): Tensor | undefined {
  return Object.hasOwn(inputs, name) ? inputs[name] : undefined;
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isNumber);
}

function isPair(value: unknown): value is [number, number] {
  return isNumbers(value) && value.length === 2;
}
