/**
 * @file The summary of a model: of each layer what it gives, how many parameters it has, and what it costs. Nothing is computed: a recorded
 * graph knows its shapes, and the products that it adds up.
 */

import {
  countMacs,
  eager,
  formatMacs,
  formatShape,
  setEager,
  type Shape,
  Shown,
  Tensor,
  ValueError,
  zeros,
} from "@gridgrad/core";

import { functionalCall } from "./functionalCall.ts";
import { defaultRandom } from "./init.ts";
import type { Module } from "./module.ts";
import { countParameters } from "./showModule.ts";

/** A module that can be called. */
type Model = Module & { forward(...inputs: never[]): unknown };

/** A layer of a model, with all that is in it. */
export interface SummaryRow {
  /** The path in the model; `""` for the model itself. */
  readonly name: string;
  /** The class, whose name bundlers may shorten. */
  readonly kind: string;
  /** Of the tensors that it gave; none where the model did not call it. */
  readonly outputShapes: readonly Shape[];
  /** Number of elements of its parameters, each once. */
  readonly parameters: number;
  /** Multiply-accumulates of all calls. */
  readonly macs: number;
}

/** What `summary` found. Its text is a table. */
export class Summary extends Shown {
  /** The model, and each module in it once, in the order of the fields. */
  readonly rows: readonly SummaryRow[];
  /** Number of elements of all parameters. */
  readonly parameters: number;
  /** Of those that are not frozen. */
  readonly trainableParameters: number;
  /** Multiply-accumulates of the whole model. */
  readonly macs: number;
  readonly #counted: string;

  constructor(model: Module, rows: readonly SummaryRow[]) {
    super();
    this.rows = rows;
    this.parameters = model.parameterCount;
    this.trainableParameters = model.parameters().reduce((total, p) => total + (p.trainable ? p.size : 0), 0);
    this.macs = rows[0].macs;
    this.#counted = countParameters(model);
  }

  toString(): string {
    const header = ["name", "layer", "output", "parameters", "MACs"];
    const cells = this.rows.map(({ name, kind, outputShapes, parameters, macs }) => [
      name,
      kind,
      outputShapes.map(formatShape).join(" ") || "not called",
      String(parameters),
      String(macs),
    ]);
    const widths = header.map((title, c) => cells.reduce((width, row) => Math.max(width, row[c].length), title.length));
    const line = (row: readonly string[]): string =>
      row
        .map((cell, c) => (c < 3 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))) // numbers at the right
        .join("  ")
        .trimEnd();
    return [line(header), ...cells.map(line), `${this.#counted}, ${formatMacs(this.macs)}`].join("\n");
  }
}

/**
 * Lists the layers of a model with the shapes that they give, their parameters and their multiply-accumulates. Runs no kernel and leaves
 * the model as it is: running statistics and the stream of random numbers do not move.
 *
 * @param model - a module with a method `forward`. Layers are seen where it calls their `forward`.
 * @param inputs - what `forward` takes, tensors or their shapes.
 * @throws {ValueError} when the model has no `forward`.
 *
 * @example
 * ```ts
 * const net = new Sequential(new Conv2d(3, 8, 3, { padding: 1 }), new ReLU(), new Conv2d(8, 2, 1));
 * const { rows, parameters, macs } = summary(net, [1, 3, 16, 16]);
 * rows.map(({ kind, macs }) => `${kind} ${macs}`); // ["Sequential 59392", "Conv2d 55296", "ReLU 0", "Conv2d 4096"]
 * rows[1].outputShapes; // [[1, 8, 16, 16]]
 * [parameters, macs]; // [242, 59392]
 * ```
 */
export function summary(model: Model, ...inputs: readonly (Tensor | Shape)[]): Summary {
  if (typeof model.forward !== "function")
    throw new ValueError("summary", "model must have a method forward", `a ${model.constructor.name} without one`);
  const dtype = model.parameters()[0]?.tensor.dtype ?? "float32";
  const tensors = inputs.map((input) => (input instanceof Tensor ? input : zeros(input, { dtype })));
  const calls = recordCalls(model, tensors as never[]);
  const rows = [...firstNames(model)].map(([each, name]): SummaryRow => {
    const { outputs, macs } = calls.get(each) ?? { outputs: [], macs: 0 };
    const outputShapes = outputs.map(({ shape }) => shape);
    return { name, kind: each.constructor.name, outputShapes, parameters: each.parameterCount, macs };
  });
  return new Summary(model, rows);
}

/** What one module gave in its last call, and what all of its calls cost. */
interface Calls {
  readonly outputs: readonly Tensor[];
  readonly macs: number;
}

/** Calls `model` and notes the calls of all modules in it. */
function recordCalls(model: Model, inputs: never[]): Map<Module, Calls> {
  const calls = new Map<Module, Calls>();
  const restore: (() => void)[] = [];
  const random = defaultRandom();
  const [wasEager, state] = [eager(), random.state];
  setEager(false); // nothing runs
  try {
    for (const module of model.modules() as Model[]) {
      if (typeof module.forward !== "function") continue;
      const before = Object.getOwnPropertyDescriptor(module, "forward"); // a field, or none for a method
      const { forward } = module;
      const value = (...given: never[]): unknown => {
        const result = forward.apply(module, given);
        const [from, outputs] = [tensorsIn(given), tensorsIn(result)];
        const macs = countMacs(...from, ...outputs) - countMacs(...from); // of what it has recorded on top of its inputs
        calls.set(module, { outputs, macs: macs + (calls.get(module)?.macs ?? 0) });
        return result;
      };
      Object.defineProperty(module, "forward", { value, configurable: true });
      restore.push(() => {
        if (before) Object.defineProperty(module, "forward", before);
        else delete (module as Partial<Model>).forward;
      });
    }
    functionalCall(model, {}, () => model.forward(...inputs)); // puts back what the call records for buffers
  } finally {
    for (const putBack of restore) putBack();
    setEager(wasEager);
    random.state = state;
  }
  return calls;
}

/** The tensors in arguments or results: they themselves, and those in arrays and plain objects. */
function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  const isPlain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return Array.isArray(value) || isPlain ? Object.values(value as object).flatMap(tensorsIn) : [];
}

/** Each module with its first name. */
function firstNames(model: Module): Map<Module, string> {
  const names = new Map<Module, string>();
  for (const [name, module] of model.namedModules()) if (!names.has(module)) names.set(module, name);
  return names;
}
