import { describe, expect, test } from "vitest";

import { checkAgreement, DisagreementError, relativeDifference } from "./agreement.ts";
import type { HostTensor } from "./task.ts";

const comparison = { title: "exp of 3, forward", peer: "peer", against: "gridgrad", tolerance: 1e-4 };

function vector(...values: number[]): HostTensor {
  return { shape: [values.length], values: Float32Array.from(values) };
}

describe("relativeDifference", () => {
  test("is relative to the largest value of the tensor, not to each value", () => {
    expect(relativeDifference(vector(0.5, 100), vector(0, 100))).toBe(0.005);
  });

  test("is 0 for equal tensors of zeros, and NaN where one is not finite", () => {
    expect(relativeDifference(vector(0, 0), vector(0, 0))).toBe(0);
    expect(relativeDifference(vector(NaN, 1), vector(1, 1))).toBeNaN();
    expect(relativeDifference(vector(Infinity), vector(Infinity))).toBeNaN();
  });
});

describe("checkAgreement", () => {
  test("passes what is within the tolerance, and returns how far it is away", () => {
    const apart = checkAgreement({ y: vector(1, 2, 4.0002) }, { y: vector(1, 2, 4) }, comparison);
    expect(apart).toBeCloseTo(5e-5, 6);
  });

  test("catches a peer whose values differ, in any of its results", () => {
    const wanted = { y: vector(1, 2, 4), dx: vector(1, 1, 1) };
    const got = { y: vector(1, 2, 4), dx: vector(1, 1.001, 1) };
    expect(() => checkAgreement(got, wanted, comparison)).toThrowErrorMatchingInlineSnapshot(
      `[DisagreementError: exp of 3, forward: peer and gridgrad must give dx within 0.0001 of its largest value, got a difference of 0.00100]`,
    );
    expect(() => checkAgreement({ ...wanted, y: vector(1, NaN, 4) }, wanted, comparison)).toThrow(DisagreementError);
  });

  test("catches a peer that gives another shape", () => {
    const y = { shape: [3, 1], values: Float32Array.of(1, 2, 4) };
    expect(() => checkAgreement({ y }, { y: vector(1, 2, 4) }, comparison)).toThrowErrorMatchingInlineSnapshot(
      `[DisagreementError: exp of 3, forward: peer and gridgrad must give y in one shape, got [3, 1] and [3]]`,
    );
  });

  test("catches a peer that leaves a result out, unless it may", () => {
    const wanted = { y: vector(1), mean: vector(2) };
    expect(() => checkAgreement({ y: vector(1) }, wanted, comparison)).toThrowErrorMatchingInlineSnapshot(
      `[DisagreementError: exp of 3, forward: peer and gridgrad must give the same results, got y and y, mean]`,
    );
    expect(checkAgreement({ y: vector(1) }, wanted, { ...comparison, optional: ["mean"] })).toBe(0);
    expect(() => checkAgreement({}, wanted, comparison)).toThrow("got nothing and y, mean");
  });

  test("catches a comparison of nothing", () => {
    const optional = { ...comparison, optional: ["y"] };
    expect(() => checkAgreement({}, {}, comparison)).toThrowErrorMatchingInlineSnapshot(
      `[DisagreementError: exp of 3, forward: peer and gridgrad must give a result, got none]`,
    );
    expect(() => checkAgreement({}, { y: vector(1) }, optional)).toThrow("must give a result, got none");
    expect(() => checkAgreement({ y: vector() }, { y: vector() }, comparison)).toThrow("a difference of NaN");
    const y = { shape: [1], values: new Float32Array(2) };
    expect(() => checkAgreement({ y }, { y: vector(0) }, comparison)).toThrow("a difference of NaN");
  });
});
