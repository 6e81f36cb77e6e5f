import { describe, expect, test } from "vitest";

import { dependencies } from "./graph.ts";
import { ones } from "./leaf.ts";

describe("dependencies", () => {
  test("gives everything below the roots once, inputs before users, in the order in which it was made", () => {
    const x = ones([1]);
    const a = x.exp();
    const b = x.neg();
    const c = b.add(a).mul(a);
    const order = dependencies([c, a]);
    expect(order.map((t) => t.recipe?.op.name ?? "leaf")).toEqual(["leaf", "exp", "neg", "add", "mul"]);
    expect(order.slice(0, 3)).toEqual([x, a, b]);
  });

  test("goes no further than where it is stopped, and leaves out what stops it", () => {
    const x = ones([1]);
    const a = x.exp();
    const b = a.neg();
    expect(dependencies([b], (t) => t === a)).toEqual([b]);
    expect(dependencies([a], (t) => t === a)).toEqual([]);
  });

  test("walks around what is stopped, if there is another way", () => {
    const x = ones([1]);
    const a = x.exp();
    const b = a.add(x);
    expect(dependencies([b], (t) => t === a)).toEqual([x, b]);
  });

  test("gives nothing for no roots", () => {
    expect(dependencies([])).toEqual([]);
  });
});
