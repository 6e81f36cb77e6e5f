import { inspect } from "node:util";

import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ReferenceDevice, setDevice, withDevice } from "./device.ts";
import { explain, type Explanation, profile, type Step } from "./explain.ts";
import { formatBytes } from "./formatBytes.ts";
import { isRealized } from "./held.ts";
import { realize } from "./realize.ts";
import type { Shape } from "./shape.ts";
import { ones, tensor, zeros } from "./leaf.ts";
import type { Tensor } from "./tensor.ts";

beforeAll(() => setDevice("reference"));

/** A graph with a shared part, two targets and two element types. */
function sharedGraph(): { hidden: Tensor; loss: Tensor } {
  const x = tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
  const w = tensor([[1], [0], [2]]);
  const hidden = x.matmul(w).tanh();
  return { hidden, loss: hidden.mul(hidden).sum().cast("float64") };
}

describe("explain", () => {
  test("prints the schedule as a table", () => {
    const { hidden, loss } = sharedGraph();
    expect(inspect(explain(hidden, loss))).toBe(explain(hidden, loss).toString());
    expect(explain(hidden, loss).toString()).toMatchInlineSnapshot(`
      "#  op      inputs                     output      bytes  live
      3  matmul  leaf 1[2, 3] leaf 2[3, 1]  [2, 1]        8 B  44 B
      4  tanh *  3[2, 1]                    [2, 1]        8 B  16 B
      5  mul     4[2, 1] 4[2, 1]            [2, 1]        8 B  16 B
      6  sum     5[2, 1]                    []            4 B  20 B
      7  cast *  6[]                        [] float64    8 B  20 B
      5 kernels on reference, 6 MACs, peak 44 B (* asked for)"
    `);
  });

  test("runs nothing", () => {
    const y = ones([2]).add(1);
    expect(explain(y).steps).toHaveLength(1);
    expect(isRealized(y)).toBe(false);
  });

  test("draws the graph in Graphviz' language", () => {
    const { hidden, loss } = sharedGraph();
    expect(explain(hidden, loss).toDot()).toMatchInlineSnapshot(`
      "digraph gridgrad {
        rankdir=TB; node [shape=box, fontname=monospace];
        t1 [label="leaf 1\\n[2, 3]", style=dashed];
        t2 [label="leaf 2\\n[3, 1]", style=dashed];
        t3 [label="matmul\\n[2, 1]"];
        t1 -> t3;
        t2 -> t3;
        t4 [label="tanh\\n[2, 1]", style=bold];
        t3 -> t4;
        t5 [label="mul\\n[2, 1]"];
        t4 -> t5;
        t4 -> t5;
        t6 [label="sum\\n[]"];
        t5 -> t6;
        t7 [label="cast\\n[]", style=bold];
        t6 -> t7;
      }"
    `);
  });

  test("gives plain data that survives JSON", () => {
    const { hidden } = sharedGraph();
    const explanation = explain(hidden.sum(1, { keepdim: true }));
    const json = JSON.parse(JSON.stringify(explanation)) as { steps: Step[] };
    expect(json).toMatchObject({ device: "reference", kernels: 3, peakBytes: 44, macs: 6 });
    expect(json.steps[2]).toMatchInlineSnapshot(`
      {
        "attrs": {
          "axes": [
            1,
          ],
          "keepdim": true,
        },
        "bytes": 8,
        "dtype": "float32",
        "id": 5,
        "inputs": [
          {
            "id": 4,
            "leaf": false,
            "shape": [
              2,
              1,
            ],
          },
        ],
        "liveBytes": 16,
        "macs": 0,
        "op": "sum",
        "shape": [
          2,
          1,
        ],
        "target": true,
      }
    `);
    expect(json.steps).toEqual(explanation.steps);
  });

  test("shows only what is still missing, and a realized tensor as a leaf, tracked or not", async () => {
    const w = ones([2], { requiresGrad: true });
    const hidden = w.exp();
    const loss = hidden.mul(hidden).sum();
    await realize(hidden);
    const { steps } = explain(loss);
    expect(steps.map((step) => step.op)).toEqual(["mul", "sum"]);
    expect(steps[0].inputs).toEqual([
      { id: 1, shape: [2], leaf: true },
      { id: 1, shape: [2], leaf: true },
    ]);
    await realize(loss);
    expect(explain(loss).steps).toEqual([]);
    expect(String(explain(loss))).toContain("0 kernels");
  });

  test("draws every tensor that an arrow leaves or enters", async () => {
    const w = ones([2], { requiresGrad: true });
    const hidden = w.exp();
    await hidden.data();
    const dot = explain(hidden.mul(hidden).add(w).sum()).toDot();
    const drawn = new Set(Array.from(dot.matchAll(/t(\d+) \[/g), ([, id]) => id));
    for (const [, from, to] of dot.matchAll(/t(\d+) -> t(\d+)/g)) {
      expect(drawn).toContain(from);
      expect(drawn).toContain(to);
    }
  });

  test("numbers tensors from 1 in the order of their first use, whatever was made before", () => {
    const numbers = (): number[] => explain(...Object.values(sharedGraph())).steps.map((step) => step.id);
    expect(numbers()).toEqual([3, 4, 5, 6, 7]);
    expect(numbers()).toEqual([3, 4, 5, 6, 7]);
  });

  test("says on which device the graph would run", async () => {
    class Named extends ReferenceDevice {
      override readonly name = "named" as "reference";
    }
    expect(await withDevice(new Named(), () => explain(ones([1]).neg()).device)).toBe("named");
  });

  test("prints graphs of 200,000 kernels", () => {
    let y = ones([1]);
    for (let i = 0; i < 200_000; i++) y = y.neg();
    const explanation = explain(y);
    expect(explanation.steps).toHaveLength(200_000);
    expect(explanation.toString().endsWith("200000 kernels on reference, peak 8 B (* asked for)")).toBe(true);
  });

  test("knows nothing of times before a run", () => {
    const explanation = explain(ones([1]).neg());
    expect(explanation.ms).toBeUndefined();
    expect(explanation.byOp()).toEqual([]);
  });
});

describe("peakBytes", () => {
  /** A graph as plain data. `picks` and `targets` count among the tensors made so far. */
  interface GraphPlan {
    readonly leaves: Shape[];
    readonly steps: { readonly op: "add" | "mul" | "neg" | "sum" | "cast"; readonly picks: number[] }[];
    readonly targets: number[];
  }

  const plans: fc.Arbitrary<GraphPlan> = fc.record({
    leaves: fc.array(fc.constantFrom([], [3], [2, 1], [2, 3], [4, 2, 3]), { minLength: 1, maxLength: 4 }),
    steps: fc.array(
      fc.record({ op: fc.constantFrom("add", "mul", "neg", "sum", "cast"), picks: fc.tuple(fc.nat(), fc.nat()) }),
      { minLength: 1, maxLength: 15 },
    ),
    targets: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
  });

  function build({ leaves, steps, targets }: GraphPlan): Tensor[] {
    const pool: Tensor[] = leaves.map((shape) => zeros(shape));
    for (const { op, picks } of steps) {
      const [a, b] = picks.map((pick) => pool[pick % pool.length]);
      switch (op) {
        case "add":
        case "mul":
          pool.push(a.cast("float32")[op](b.cast("float32")));
          break;
        case "neg":
          pool.push(a.neg());
          break;
        case "sum":
          pool.push(a.sum());
          break;
        case "cast":
          pool.push(a.cast("float64"));
          break;
      }
    }
    return targets.map((pick) => pool[pool.length - 1 - (pick % pool.length)]);
  }

  test("is what the reference device measures, for random graphs of leaves on the host", () =>
    fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const targets = build(plan);
        const { peakBytes, steps } = explain(...targets);
        const device = new ReferenceDevice();
        await withDevice(device, () => realize(...targets));
        expect(device.memory.peakBytes).toBe(peakBytes);
        const kept = new Set(targets.filter((t) => t.held));
        expect(device.memory.bytes).toBe([...kept].reduce((total, t) => total + t.held!.buffer.bytes, 0));
        expect(steps.every((step) => step.liveBytes >= step.bytes)).toBe(true);
      }),
      { numRuns: 300 },
    ));

  test("adds up inputs, output and what waits for later steps", () => {
    const x = ones([25]); // 100 bytes
    const a = x.neg();
    const b = a.neg();
    const c = b.add(a);
    expect(explain(c).steps.map((step) => step.liveBytes)).toEqual([200, 200, 300]);
    expect(explain(a, b, c).steps.map((step) => step.liveBytes)).toEqual([200, 200, 300]);
    expect(explain(c, x).steps.map((step) => step.liveBytes)).toEqual([200, 300, 400]);
  });
});

describe("profile", () => {
  let profiled: Explanation;
  let target: Tensor;

  beforeEach(async () => {
    const x = ones([64, 64]);
    target = x.matmul(x).exp().add(1).add(2).sum();
    profiled = await profile(target);
  });

  test("runs the targets and times each kernel", () => {
    expect(isRealized(target)).toBe(true);
    expect(profiled.steps.map((step) => step.op)).toEqual(["matmul", "exp", "add", "add", "sum"]);
    for (const step of profiled.steps) expect(step.ms).toBeGreaterThan(0);
    expect(profiled.ms).toBeCloseTo(
      profiled.steps.reduce((total, step) => total + step.ms!, 0),
      9,
    );
  });

  test("adds times to the table, to the drawing and to the data", () => {
    const lines = profiled.toString().split("\n");
    expect(lines[0]).toMatch(/ms$/);
    expect(lines[1]).toMatch(/\d\.\d{3}$/);
    expect(lines.at(-1)).toMatch(/^5 kernels on reference, 262\.1 kMACs, peak .* KB, \d+\.\d ms \(\* asked for\)$/);
    expect(profiled.toDot()).toMatch(/matmul\\n\[64, 64\]\\n\d+\.\d{3} ms/);
    expect(profiled.toJSON()).toMatchObject({ ms: profiled.ms });
  });

  test("tells what a device took that lays out its memory itself", async () => {
    class Paged extends ReferenceDevice {
      readonly footprint = { peakBytes: 4096, resetPeak: (): void => void (this.footprint.peakBytes = 2048) };
    }
    const explanation = await withDevice(new Paged(), () => profile(ones([2]).neg()));
    expect(explanation.toString()).toMatch(/peak 16 B in 2\.0 KB of memory,/);
    expect(explanation.toJSON()).toMatchObject({ footprintBytes: 2048 });
  });

  test("groups times by op, the longest first", () => {
    const groups = profiled.byOp();
    expect(groups.map(({ op, kernels }) => ({ op, kernels })).sort((a, b) => (a.op < b.op ? -1 : 1))).toEqual([
      { op: "add", kernels: 2 },
      { op: "exp", kernels: 1 },
      { op: "matmul", kernels: 1 },
      { op: "sum", kernels: 1 },
    ]);
    expect(groups.map(({ ms }) => ms)).toEqual(groups.map(({ ms }) => ms).sort((a, b) => b - a));
    expect(groups.reduce((total, { share }) => total + share, 0)).toBeCloseTo(1, 9);
    expect(groups.reduce((total, { ms }) => total + ms, 0)).toBeCloseTo(profiled.ms!, 9);
  });

  test("of what is there already has no kernels and took no time", async () => {
    const again = await profile(target, tensor([1]));
    expect(again.steps).toEqual([]);
    expect(again.ms).toBe(0);
    expect(again.byOp()).toEqual([]);
  });
});

test("formatBytes counts in units of 1024 and rounds to one digit", () => {
  expect([0, 1, 1023, 1024, 1536, 10 * 1024 ** 2, 3 * 1024 ** 3].map(formatBytes)).toEqual([
    "0 B",
    "1 B",
    "1023 B",
    "1.0 KB",
    "1.5 KB",
    "10.0 MB",
    "3.0 GB",
  ]);
  expect(formatBytes(5000 * 1024 ** 3)).toBe("5000.0 GB");
  expect(formatBytes(1024 ** 2 - 1)).toBe("1.0 MB");
});
