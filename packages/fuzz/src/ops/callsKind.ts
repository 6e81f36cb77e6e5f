/**
 * @file Illegal calls of every op: refused at the call, by an error of gridgrad's own in one short line, or taken, and then computed as
 * the loops do. Arguments keep their static type: what the compiler refuses is not tried.
 */

import { type Device, DTypeError, GraphError, ReferenceDevice, ShapeError, ValueError } from "@gridgrad/core";
import { CpuDevice } from "@gridgrad/ops";

import { pick } from "../draw.ts";
import { type Kind, Wrong } from "../kind.ts";
import { compareResults } from "./compareResults.ts";
import { CaseDraw, type DrawCase, leavesOf, type OpCase, showCase } from "./opCase.ts";
import { callWith, type Result, resultsOn } from "./opResults.ts";
import { allCases } from "./opsKind.ts";
import { spoil } from "./spoil.ts";

/** A message is read in a terminal: a few lines of it. */
const longestMessage = 500;

const ownErrors = [ShapeError, DTypeError, ValueError, GraphError];

export interface CallsOptions {
  /** Default: all. */
  readonly ops?: Readonly<Record<string, DrawCase>>;
  /** Default: `cpu` with one thread. */
  readonly device?: Device;
}

export function callsKind({ ops = allCases, device = new CpuDevice({ threads: 1 }) }: CallsOptions = {}): Kind {
  const names = Object.keys(ops);
  const loops = new ReferenceDevice();
  return {
    name: "calls",
    unit: "cases",
    share: 3,

    async check(draw) {
      const name = pick(draw, names);
      const legal = ops[name](new CaseDraw(draw));
      const opCase = spoil(draw, { ...legal, inputs: wholeNumbers(legal.inputs) });
      if (refused(name, opCase)) return;
      const wanted = await resultsOf(name, opCase, loops);
      const got = wanted && (await resultsOf(name, opCase, device));
      const difference = got && compareResults(got, wanted);
      if (difference) {
        throw wrong(name, opCase, `${device.name}: ${difference.what}`, `on ${device.name}, ${difference.message}`);
      }
    },

    close: () => device.close(),
  };
}

/** Whether the call is refused, and well. A call that is taken must have a result of some shape. */
function refused(name: string, opCase: OpCase): boolean {
  let shapes: (readonly number[])[];
  try {
    shapes = callWith(opCase, leavesOf(opCase.inputs, "float32")).map(({ shape }) => shape);
  } catch (error) {
    const { name: type, message } = error as Error;
    if (!ownErrors.some((own) => error instanceof own)) {
      throw wrong(name, opCase, `the call throws a ${type}`, `${type}: ${message}`);
    }
    if (message.includes("\n") || message.length > longestMessage) {
      throw wrong(name, opCase, "the message is no short line", message);
    }
    if (message.includes("internal:")) throw wrong(name, opCase, "the message is that of a bug", message);
    return true;
  }
  for (const shape of shapes) {
    if (shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) continue;
    throw wrong(name, opCase, "the result has a shape that is none", `a result of shape [${shape.join(", ")}]`);
  }
  return false;
}

/** In float32 on the loops, too: arguments may be too large for it, or too small. */
async function resultsOf(name: string, opCase: OpCase, device: Device): Promise<Result[] | null> {
  try {
    return await resultsOn(device, opCase, { dtype: "float32", order: 1 });
  } catch (error) {
    const { name: type, message } = error as Error;
    throw wrong(
      name,
      opCase,
      `the call is taken, and ends in a ${type} later`,
      `${type} on ${device.name}: ${message}`,
    );
  }
}

/** Whole numbers, which stay what they are when an input becomes int32. */
function wholeNumbers(inputs: OpCase["inputs"]): OpCase["inputs"] {
  return inputs.map((input) => ({ ...input, values: input.values.map(Math.round) }));
}

function wrong(name: string, opCase: OpCase, fault: string, message: string): Wrong {
  return new Wrong(`${name}: ${fault}`, message, showCase(name, opCase));
}
