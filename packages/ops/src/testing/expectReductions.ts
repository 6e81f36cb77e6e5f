/** @file The law that every element-wise loss obeys: its three reductions are one loss, kept, summed or averaged. */

import { mean, sum, type Tensor } from "@gridgrad/core";

import type { Reduction } from "../ops/lossReduction.ts";
import { expectSame } from "./expectSame.ts";

/** Expects that `loss`, in float64, gives the sum and the mean of its own elements, and averages unless told otherwise. */
export async function expectReductions(loss: (options: { reduction?: Reduction }) => Tensor): Promise<void> {
  const each = loss({ reduction: "none" });
  await expectSame(loss({ reduction: "sum" }), sum(each));
  await expectSame(loss({ reduction: "mean" }), mean(each));
  await expectSame(loss({}), mean(each));
}
