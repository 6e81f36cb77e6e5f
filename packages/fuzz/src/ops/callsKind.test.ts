import { ReferenceDevice, ShapeError, type Tensor, ValueError } from "@gridgrad/core";
import { expect, test } from "vitest";

import { runCampaign } from "../campaign.ts";
import { callsKind } from "./callsKind.ts";
import { opCase } from "./opCase.ts";

/** Faults that are found in an op of one tensor and one number, which is 3 in legal calls. */
async function faultsOf(call: (x: Tensor, k: number) => Tensor): Promise<string[]> {
  const ops = {
    op: (d: { float(shape: number[]): Parameters<typeof opCase>[0][number] }) =>
      opCase([d.float([2])], { k: 3 }, ([x], { k }) => call(x, k)),
  };
  const kind = callsKind({ ops, device: new ReferenceDevice() });
  const { findings } = await runCampaign([kind], { seed: 1, cases: 200 });
  return findings.map(({ fault }) => fault).sort();
}

test("an op that refuses what it does not take is beyond reproach", async () => {
  const refusing = (x: Tensor, k: number): Tensor => {
    if (!(k >= 0 && k <= 7)) throw new ValueError("op", "k must be in 0 .. 7", String(k));
    return x.mul(k);
  };
  expect(await faultsOf(refusing)).toEqual([]);
});

test("an error that is not gridgrad's own is found", async () => {
  const careless = (x: Tensor, k: number): Tensor => {
    if (k !== 3) new Array(k).fill(0); // a RangeError for what is no length
    return x.mul(1);
  };
  expect(await faultsOf(careless)).toEqual(["op: the call throws a RangeError"]);
});

test("messages that are long, of several lines, or of bugs are found", async () => {
  const talking = (x: Tensor, k: number): Tensor => {
    if (k < 0) throw new ValueError("op", "k must be this\nor that", String(k));
    if (k > 7) throw new ValueError("op", `k must be one of ${"0, ".repeat(300)}`, String(k));
    if (!(k >= 0)) throw new ShapeError("internal: op", "k", {});
    return x;
  };
  expect(await faultsOf(talking)).toEqual(["op: the message is no short line", "op: the message is that of a bug"]);
});

test("a shape that is none is found", async () => {
  const shapeless = (x: Tensor, k: number): Tensor => (k > 2 ** 31 ? ({ ...x, shape: [k] } as unknown as Tensor) : x);
  expect(await faultsOf(shapeless)).toEqual(["op: the result has a shape that is none"]);
});

function failing(): never {
  throw new TypeError("k is no number");
}

test("an error that comes when it is too late is found", async () => {
  const late = (x: Tensor, k: number): Tensor => {
    const y = x.mul(2);
    if (k !== 3) y.recipe = { ...y.recipe!, op: { ...y.recipe!.op, loops: failing } };
    return y;
  };
  expect(await faultsOf(late)).toEqual(["op: the call is taken, and ends in a TypeError later"]);
});
