/** @file Modules as functions of their inputs and parameters, for gradient checks. */

import fc from "fast-check";

import type { Tensor } from "@gridgrad/core";
import { reals } from "@gridgrad/core/testing";
import { functionalCall, type Module } from "@gridgrad/nn";

/** A module as a function of its input, its guide if it has one, and its parameters in their order. */
export function asFunction(up: Module & { forward(...inputs: Tensor[]): Tensor }, inputs: number) {
  const names = [...up.namedParameters().keys()];
  return (...xs: Tensor[]): Tensor =>
    functionalCall(up, Object.fromEntries(names.map((name, i) => [name, xs[inputs + i]])), () =>
      up.forward(...xs.slice(0, inputs)),
    );
}

/** Float64 inputs of such a function: `shapes`, then the parameters. */
export function inputsOf(up: Module, ...shapes: readonly (readonly number[])[]): fc.Arbitrary<readonly Tensor[]> {
  return fc.tuple(...[...shapes, ...up.parameters().map((p) => p.shape)].map((shape) => reals(shape)));
}
