/**
 * @file The five kinds of tests that every op has, in one call, and the same on every device. All fields are required: an op whose tests lack a kind does not
 * compile, and an empty kind fails.
 */

import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";

import { type Device, openDevice, ReferenceDevice, withDevice } from "../device.ts";
import type { Tensor } from "../tensor.ts";
import { checkDevice } from "./checkDevice.ts";
import { checkFinite } from "./checkFinite.ts";
import { checkGradients } from "./checkGradients.ts";
import { checkGolden, type GoldenRun, parseGolden } from "./golden.ts";
import { describeDevices } from "./devices.ts";
import { keepsFinite } from "./finiteExceptions.ts";
import { goldenFiles } from "./goldenFiles.ts";
import { placements } from "./specialValues.ts";
import { testRuns } from "./testRuns.ts";
import { hasTier } from "./tier.ts";

/** Tests by their titles: sentences about behaviour. */
export type Tests = Readonly<Record<string, () => void | Promise<void>>>;

/** A function of tensors, and inputs for it. */
export interface OpCase {
  readonly f: (...xs: Tensor[]) => Tensor;
  readonly inputs: fc.Arbitrary<readonly Tensor[]>;
}

export interface GradientTest extends OpCase {
  /** Float64 leaves, away from kinks. */
  readonly inputs: fc.Arbitrary<readonly Tensor[]>;
  /** Default 50. */
  readonly numRuns?: number;
}

export interface OpTests {
  /** Tiny cases that a reader can verify on paper. */
  readonly byHand: Tests;
  /** What only the loops promise, such as sums in float64. Optional. */
  readonly loops?: Tests;
  /** PyTorch's outputs and gradients: patterns of files in goldens/, and how to run one. */
  readonly golden: { readonly cases: readonly string[]; readonly run: GoldenRun };
  /** Properties, each a call of `fc.assert`. */
  readonly laws: Tests;
  /** Finite differences of first and second order; `none` gives the reason why an op has no gradient, and `cases` what devices compute instead. */
  readonly gradients:
    | Readonly<Record<string, GradientTest>>
    | { readonly none: string; readonly cases: Readonly<Record<string, OpCase>> };
  /** Each error message, pinned by an inline snapshot. */
  readonly errors: Tests;
}

/** Declares the tests of the op `f`. Where `onlyDevices` is provided, as in a browser, those of its definition are left to Node. */
export function describeOp(f: { readonly name: string }, tests: OpTests): void {
  describe(f.name, () => {
    if (!inject("onlyDevices")) describeDefinition(tests);
    describeOnDevices(tests);
  });
}

/** The definition of an op: its loops, in both types, and its gradient. */
function describeDefinition({ byHand, loops, golden, laws, gradients, errors }: OpTests): void {
  group("by hand", byHand);
  if (loops) group("loops", loops);

  describe("golden", () => {
    if (golden.cases.length === 0) test("has at least one case", () => expect.fail("golden is empty"));
    for (const { name, bytes } of golden.cases.flatMap(goldenFiles)) {
      test.each(["float32", "float64"] as const)(`${name} in %s`, async (dtype) => {
        const results = await withDevice(openDevice("reference"), () =>
          checkGolden(parseGolden(bytes), golden.run, dtype),
        );
        expect(results.length).toBeGreaterThan(0);
        expect(results.filter((result) => !result.ok)).toEqual([]);
      });
    }
  });

  group("laws", laws);

  describe("gradients", () => {
    if ("none" in gradients && typeof gradients.none === "string") {
      test(`has none: ${gradients.none}`, () => expect(gradients.none).not.toBe(""));
      return;
    }
    const cases = Object.entries(gradients as Readonly<Record<string, GradientTest>>);
    test("has at least one check", () => expect(cases.length).toBeGreaterThan(0));
    for (const [title, { f, inputs, numRuns = 50 }] of cases) {
      test(`${title}, first and second order`, () =>
        fc.assert(
          fc.asyncProperty(inputs, fc.nat(1000), async (xs, seed) => {
            const checks = await checkGradients(f, xs, { order: 2, seed });
            expect(checks.length).toBeGreaterThan(0);
          }),
          { numRuns },
        ));
    }
  });

  group("errors", errors);
}

/** An op on each device: what it promises in float32. */
function describeOnDevices({ byHand, golden, gradients }: OpTests): void {
  describeDevices((device) => {
    group("by hand", byHand, device);

    describe("golden", () => {
      for (const { name, bytes } of golden.cases.flatMap(goldenFiles)) {
        test(`${name} in float32`, async () => {
          const results = await withDevice(device, () => checkGolden(parseGolden(bytes), golden.run, "float32"));
          expect(results.filter((result) => !result.ok)).toEqual([]);
        });
      }
    });

    const cases = "none" in gradients && typeof gradients.none === "string" ? gradients.cases : gradients;
    const casesOf = Object.entries(cases as Readonly<Record<string, OpCase>>);
    const numRuns = testRuns(deviceRuns(device));
    describe.skipIf(numRuns === 0)("gives what the loops give", () => {
      for (const [title, { f, inputs }] of casesOf) {
        test(title, () =>
          fc.assert(
            fc.asyncProperty(inputs, fc.nat(1000), (xs, seed) => checkDevice(device, f, xs, seed)),
            { numRuns },
          ),
        );
      }
    });

    if (!keepsFinite(device.name)) return;
    describe("is finite where the loops are", () => {
      for (const [title, { f, inputs }] of casesOf) {
        test(title, () =>
          fc.assert(
            fc.asyncProperty(inputs, fc.array(placements(), manyPlacements), fc.nat(1000), async (xs, list, seed) => {
              for (const places of list) await checkFinite(device, f, xs, places, seed);
            }),
            { numRuns: testRuns(1) },
          ),
        );
      }
    });
  });
}

/**
 * Random inputs per check and device. Each has shapes of its own, for which kernels of first and second gradients must be compiled. Where a
 * driver does that it takes more than a second, so the tier `ci` draws one, and none in a browser, which gets the same kernels.
 */
function deviceRuns({ name }: Device): number {
  const byDriver = ["gpu:headlessgl", "gpu:webgl2", "gpu:webgpu"].includes(name);
  if (hasTier("all") || !byDriver) return 3;
  return inject("onlyDevices") ? 0 : 1;
}

/** Special values are put into the same inputs several times, since kernels are compiled once for them. */
const manyPlacements = { minLength: 4, maxLength: 4 };

function group(title: string, tests: Tests, device: Device = new ReferenceDevice()): void {
  describe(title, () => {
    if (Object.keys(tests).length === 0) test("has at least one test", () => expect.fail(`${title} is empty`));
    for (const [name, body] of Object.entries(tests)) test(name, () => withDevice(device, body));
  });
}
