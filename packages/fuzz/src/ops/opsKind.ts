/**
 * @file Legal calls of every op, on devices beside the loops: outputs and gradients agree, so do the elements that are finite,
 * threads change no bit, and no buffer is left behind.
 */

import { type Device, openDevice, ReferenceDevice } from "@gridgrad/core";
import { CpuDevice } from "@gridgrad/ops";

import { integer, once, pick } from "../draw.ts";
import { type Kind, Wrong } from "../kind.ts";
import { arithmeticCases } from "./arithmeticCases.ts";
import { compareBits, compareResults, type Difference } from "./compareResults.ts";
import { imageCases } from "./imageCases.ts";
import { CaseDraw, type DrawCase, type Flavour, type OpCase, showCase, specials } from "./opCase.ts";
import { type Result, resultsOn, type RunOptions } from "./opResults.ts";

/** How to draw a legal call, by the op's name. */
export const allCases: Readonly<Record<string, DrawCase>> = { ...arithmeticCases, ...imageCases };

export interface OpsOptions {
  /** Default: all. */
  readonly ops?: Readonly<Record<string, DrawCase>>;
  /** Compared with the loops in each case. The others, which differ from it in threads, have to give the same bits. */
  readonly cpu?: readonly Device[];
  /** Compared with the loops in some cases, one at a time: each new shape makes them compile kernels. */
  readonly others?: readonly Device[];
}

/** A device that is compared, under the name that findings have for it. */
interface Named {
  readonly name: string;
  readonly device: Device;
}

/** The case of an op, and how it is to run. */
interface Drawn {
  readonly name: string;
  readonly flavour: Flavour;
  readonly opCase: OpCase;
  readonly order: number;
  readonly special: RunOptions["special"];
}

export function opsKind({
  ops = allCases,
  cpu = [1, 2, 3].map((threads) => new CpuDevice({ threads })),
  others = ["gpu:webasm", "gpu:cpu"].map((name) => openDevice(name)),
}: OpsOptions = {}): Kind {
  const names = Object.keys(ops);
  const loops = new ReferenceDevice();
  const runs = new Map<string, number>();
  const run = (drawn: Drawn, named: Named, dtype: RunOptions["dtype"]): Promise<Result[] | null> => {
    runs.set(named.name, (runs.get(named.name) ?? 0) + 1);
    return runOn(drawn, named, dtype);
  };
  return {
    name: "ops",
    unit: "cases",
    share: 8,
    get note() {
      return `on ${[...runs].map(([name, count]) => `${name} (${count.toLocaleString("en-US")})`).join(", ")}`;
    },

    async check(draw) {
      const drawn = drawCase(draw, ops, names);
      const threads = drawn.large || once(draw, 8);
      const other = others.length > 0 && once(draw, cpu.length > 0 ? 16 : 1) ? pick(draw, others) : null;
      const { flavour } = drawn;

      const wanted = await run(
        drawn,
        { name: "reference", device: loops },
        flavour === "ordinary" ? "float64" : "float32",
      );
      if (wanted === null) return;
      const [first, ...more] = cpu;
      if (first) {
        const results = await run(drawn, { name: "cpu", device: first }, "float32");
        if (flavour !== "extreme") judge(drawn, "cpu", compareResults(results!, wanted));
        for (const device of threads ? more : []) {
          const named = { name: "cpu with more threads", device };
          judge(drawn, named.name, compareBits((await run(drawn, named, "float32"))!, results!));
        }
      }
      if (other !== null) {
        const results = await run(drawn, { name: other.name, device: other }, "float32");
        if (flavour !== "extreme") judge(drawn, other.name, compareResults(results!, wanted));
      }
    },

    async close() {
      for (const device of [...cpu, ...others]) await device.close();
    },
  };
}

function drawCase(
  draw: Parameters<Kind["check"]>[0],
  ops: Readonly<Record<string, DrawCase>>,
  names: readonly string[],
): Drawn & { large: boolean } {
  const name = pick(draw, names);
  const flavour = pick(draw, ["ordinary", "ordinary", "special", "special", "extreme"] as const);
  const large = once(draw, 24);
  const order = large ? 1 : pick(draw, [0, 1, 1, 2]);
  const special =
    flavour === "special" && once(draw, 3) ? { at: integer(draw, 0, 99), value: pick(draw, specials) } : undefined;
  return { name, flavour, large, order, special, opCase: ops[name](new CaseDraw(draw, { flavour, large, order })) };
}

async function runOn(drawn: Drawn, { name, device }: Named, dtype: RunOptions["dtype"]): Promise<Result[] | null> {
  const before = device.memory.buffers;
  let results: Result[] | null;
  try {
    results = await resultsOn(device, drawn.opCase, { dtype, order: drawn.order, special: drawn.special });
  } catch (error) {
    const { name: type, message } = error as Error;
    throw wrong(drawn, `${name}: a legal call ends in ${type}`, `${type} on ${name}: ${message}`);
  }
  const left = device.memory.buffers - before;
  if (left !== 0) throw wrong(drawn, `${name}: buffers are left`, `${left} buffers are left on ${name}`);
  return results;
}

function judge(drawn: Drawn, device: string, difference: Difference | null): void {
  if (difference === null) return;
  throw wrong(drawn, `${device}, ${drawn.flavour} values: ${difference.what}`, `on ${device}, ${difference.message}`);
}

function wrong({ name, opCase, order, special }: Drawn, fault: string, message: string): Wrong {
  const incoming = special ? `, ${special.value} in the gradient that comes in` : "";
  return new Wrong(`${name}: ${fault}`, `${message} (gradients to order ${order}${incoming})`, showCase(name, opCase));
}
