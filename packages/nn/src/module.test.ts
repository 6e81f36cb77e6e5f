import { describe, expect, test } from "vitest";

import { add, mul, openDevice, realize, sum, type Tensor, tensor, withDevice, zeros } from "@gridgrad/core";

import { BatchNorm2d, Conv2d, ConvTranspose2d, GroupNorm, LayerNorm, Linear, ReLU, Sequential } from "./layers.ts";
import { Module, type StateDict } from "./module.ts";
import { SGD } from "./optimizer.ts";
import { Buffer, Parameter } from "./slot.ts";

/** Two parameters and a counter. */
class Scale extends Module {
  weight = new Parameter(tensor([1, 2]));
  bias: Parameter | null = new Parameter(tensor([3]));
  count = new Buffer(tensor(0, [], { dtype: "int32" }), { optional: true });
}

class Pair extends Module {
  first = new Scale();
  second = new Scale();
}

class ConvBn extends Module {
  conv: Conv2d;
  bn: BatchNorm2d;
  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, 3, { padding: 1, bias: false });
    this.bn = new BatchNorm2d(outChannels);
  }
  forward(x: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(x));
  }
}

class Net extends Module {
  scale = new Parameter(zeros([1]));
  stem = new Sequential(new Conv2d(3, 4, 3), new ReLU(), new ConvBn(4, 4));
  blocks = [new ConvBn(4, 4), new ConvBn(4, 8)];
  up = new ConvTranspose2d(8, 4, 2, { stride: 2 });
  norm = new GroupNorm(2, 4);
  ln = new LayerNorm(4);
  head = new Linear(4, 2);
  tied = this.head;
}

describe("names", () => {
  test("are those of PyTorch's state_dict, in its order", async () => {
    // What torch 2.13 lists for a module of the same fields (ModuleList for the array, Sequential, tied = head).
    const bn = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
    const convBn = (path: string): string[] => [`${path}.conv.weight`, ...bn.map((name) => `${path}.bn.${name}`)];
    expect(Object.keys(await new Net().stateDict())).toEqual([
      "scale",
      "stem.0.weight",
      "stem.0.bias",
      ...convBn("stem.2"),
      ...convBn("blocks.0"),
      ...convBn("blocks.1"),
      ...["up.weight", "up.bias", "norm.weight", "norm.bias", "ln.weight", "ln.bias"],
      ...["head.weight", "head.bias", "tied.weight", "tied.bias"],
    ]);
  });

  test("come for modules as well, each under its path", () => {
    expect([...new Net().namedModules().keys()]).toEqual([
      ...["", "stem", "stem.0", "stem.1", "stem.2", "stem.2.conv", "stem.2.bn"],
      ...["blocks.0", "blocks.0.conv", "blocks.0.bn", "blocks.1", "blocks.1.conv", "blocks.1.bn"],
      ...["up", "norm", "ln", "head", "tied"],
    ]);
  });

  test("of parameters and of buffers are apart", () => {
    const scale = new Scale();
    expect([...scale.namedParameters()]).toEqual([
      ["weight", scale.weight],
      ["bias", scale.bias],
    ]);
    expect([...scale.namedBuffers()]).toEqual([["count", scale.count]]);
  });

  test("are two for a shared parameter, which counts and trains once", () => {
    const net = new Net();
    expect(net.namedParameters().get("tied.weight")).toBe(net.head.weight);
    expect(net.parameters().filter((p) => p === net.head.weight).length).toBe(1);
    expect(net.modules().filter((m) => m === net.head).length).toBe(1);
    expect(net.head.parameterCount).toBe(10);
    expect(new Pair().parameterCount).toBe(6);
  });

  test("leave out what a field does not hold: null, numbers, plain objects, private fields", () => {
    class Odd extends Module {
      bias: Parameter | null = null;
      sizes = [1, [2, 3]];
      options = { inner: new Parameter(zeros([1])) };
      readonly #hidden = new Parameter(zeros([1]));
      get hidden(): Parameter {
        return this.#hidden;
      }
    }
    expect([...new Odd().namedSlots()]).toEqual([]);
  });

  test("end at a module that contains itself", () => {
    class Loop extends Module {
      children: Module[] = [new Scale(), this];
    }
    expect(() => new Loop().parameters()).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Module: a module must not contain itself, got a cycle at children.1]`,
    );
  });
});

describe("train and eval", () => {
  test("reach every module inside, and give the module back", () => {
    const net = new Net();
    expect(net.modules().every((m) => m.training)).toBe(true);
    expect(net.eval()).toBe(net);
    expect(net.modules().some((m) => m.training)).toBe(false);
    net.blocks[1].train();
    expect(net.modules().flatMap((m) => (m.training ? [m] : []))).toEqual(net.blocks[1].modules());
  });
});

describe("apply", () => {
  class Keeper extends Module {
    inner = new Scale();
    override get keepsItsInitialization(): boolean {
      return true;
    }
  }
  class Model extends Module {
    keeper = new Keeper();
    keeperOfNobody = new Scale(); // its path starts like the keeper's
    pair = new Pair();
    again = this.pair.first;
  }

  test("visits each module once, children before parents, and leaves out those that keep their initialisation", () => {
    const model = new Model();
    const seen: Module[] = [];
    expect(model.apply((m) => seen.push(m))).toBe(model);
    expect(new Set(seen)).toEqual(
      new Set([model, model.keeperOfNobody, model.pair, model.pair.first, model.pair.second]),
    );
    expect(seen.length).toBe(5);
    expect(seen.indexOf(model.pair)).toBeGreaterThan(seen.indexOf(model.pair.second));
    expect(seen.at(-1)).toBe(model);
  });

  test("visits nothing of a module that keeps its initialisation itself", () => {
    new Keeper().apply(() => expect.fail("a keeper was visited"));
  });
});

describe("stateDict", () => {
  test("goes into another module and comes out the same", async () => {
    const from = new Net();
    const to = new Net();
    from.blocks[0].bn.num_batches_tracked.set(tensor(12, [], { dtype: "int32" }));
    to.loadStateDict(await from.stateDict());
    expect(await to.stateDict()).toEqual(await from.stateDict());
    expect(await to.blocks[0].bn.num_batches_tracked.tensor.item()).toBe(12);
  });

  test("copies: writing into it changes no parameter", async () => {
    const scale = new Scale();
    (await scale.stateDict()).weight.values[0] = 99;
    expect(await scale.weight.tensor.array()).toEqual([1, 2]);
  });

  test("computes recorded updates, and what they share once", async () => {
    const device = openDevice("reference");
    let kernels = 0;
    const run = device.run.bind(device);
    device.run = (...args) => {
      kernels++;
      return run(...args);
    };
    class Two extends Module {
      a = new Buffer(tensor([0]));
      b = new Buffer(tensor([0]));
    }
    const two = new Two();
    const shared = add(tensor([1]), 1);
    two.a.update(mul(shared, 10), shared);
    two.b.update(mul(shared, 100), shared);
    const { a, b } = await withDevice(device, () => two.stateDict());
    expect([a.values[0], b.values[0], kernels]).toEqual([20, 200, 3]);
  });

  test("is of the moment of the call, when a training step comes before it is read", async () => {
    const p = new Pair();
    const optimizer = new SGD(p.parameters(), { lr: 1 });
    const loss = (): ReturnType<typeof add> => add(sum(p.first.weight.tensor), sum(p.second.bias!.tensor));
    await optimizer.step(loss()); // values are on the device now
    const state = p.stateDict();
    await Promise.all([state, optimizer.step(loss())]);
    expect([(await state)["first.weight"].values, (await state)["second.bias"].values]).toEqual([
      new Float32Array([0, 1]),
      new Float32Array([2]),
    ]);
    expect(await p.first.weight.tensor.array()).toEqual([-1, 0]);
  });
});

describe("loadStateDict", () => {
  const entry = (shape: number[], ...values: number[]): StateDict[string] => ({
    dtype: "F32",
    shape,
    values: new Float32Array(values),
  });

  test("lists everything that does not fit, and changes nothing", async () => {
    const pair = new Pair();
    const before = await pair.stateDict();
    const { "first.weight": _missing, ...rest } = before;
    const state = {
      ...rest,
      "first.bias": entry([3], 1, 2, 3),
      "first.count": entry([], 1.5),
      "second.weight": entry([2], 7, 7),
      "third.weight": entry([2], 0, 0),
      toString: entry([1], 0),
    };
    expect(() => pair.loadStateDict(state)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: loadStateDict: the state must fit the module, got that of another network, with 5 problems: first.weight is missing; first.bias must have shape [1], got [3]; first.count must hold integers, got F32; and 2 more]`,
    );
    expect(await pair.stateDict()).toEqual(before);
  });

  test("finds only what the state itself has", () => {
    const scale = Object.assign(new Scale(), { valueOf: new Parameter(zeros([1])) });
    expect(() => scale.loadStateDict({ weight: entry([2], 5, 6), bias: entry([1], 7) })).toThrow(/valueOf is missing/);
  });

  test("tells the first three problems of many, and how many more there are", () => {
    const state = Object.fromEntries(Array.from({ length: 47 }, (_, i) => [`layers.${i}`, entry([1], 0)]));
    expect(() => new Scale().loadStateDict(state)).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: loadStateDict: the state must fit the module, got that of another network, with 49 problems: weight is missing; bias is missing; layers.0 is unexpected; and 46 more]`,
    );
    const fits = { weight: entry([2], 5, 6), bias: entry([1], 7) };
    expect(() => new Scale().loadStateDict({ ...fits, w: fits.bias, toString: fits.bias })).toThrow(
      /got 2 problems: w is unexpected; toString is unexpected$/,
    );
  });

  test("tells what takes the prefix of wrapped names away, and that fits", () => {
    const wrapped = (prefix: string) => ({ [`${prefix}weight`]: entry([2], 5, 6), [`${prefix}bias`]: entry([1], 7) });
    expect(() => new Scale().loadStateDict(wrapped("module."))).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: loadStateDict: the state must fit the module, got names that begin with "module." (DataParallel); rename each entry to name.slice(7), and they fit]`,
    );
    expect(() => new Scale().loadStateDict(wrapped("_orig_mod."))).toThrow(
      'got names that begin with "_orig_mod." (torch.compile); rename each entry to name.slice(10), and they fit',
    );
    expect(() => new Scale().loadStateDict(wrapped("net.encoder."))).toThrow(
      'names that begin with "net.encoder."; rename each entry to name.slice(12), and they fit',
    );
    const state = wrapped("module.");
    const unwrapped = Object.fromEntries(Object.entries(state).map(([name, entry]) => [name.slice(7), entry])); // as it says
    expect(new Scale().loadStateDict(unwrapped).unexpected).toEqual([]);
    const other = { "module.weight": entry([2], 5, 6), "module.shift": entry([1], 7) };
    expect(() => new Scale().loadStateDict(other)).toThrow(/got that of another network, with 4 problems: /);
  });

  test("refuses what is no state, and tells what is no entry", () => {
    const load = (state: unknown, options?: unknown) =>
      expect(() => new Scale().loadStateDict(state as never, options as never));
    load(null).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: loadStateDict: state must hold entries by their names, got null]`,
    );
    load({ weight: [1, 2], bias: entry([1], 7) }).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: loadStateDict: the state must fit the module, got 1 problem: weight must be an entry { dtype, shape, values }, got an array of length 2]`,
    );
    load({}, false).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: loadStateDict: options must stand in one object, got false; write loadStateDict(state, { strict: false })]`,
    );
  });

  test("takes a state without the optional buffers", async () => {
    const scale = new Scale();
    scale.count.set(tensor(5, [], { dtype: "int32" }));
    const result = scale.loadStateDict({ weight: entry([2], 5, 6), bias: entry([1], 7) });
    expect(result).toEqual({ missing: ["count"], unexpected: [] });
    expect(await scale.weight.tensor.array()).toEqual([5, 6]);
    expect(await scale.count.tensor.item()).toBe(5);
  });

  test("loads what matches when it is not strict, but never another shape", async () => {
    const scale = new Scale();
    const state = { weight: entry([2], 5, 6), other: entry([1], 7) };
    expect(scale.loadStateDict(state, { strict: false })).toEqual({
      missing: ["bias", "count"],
      unexpected: ["other"],
    });
    expect([await scale.weight.tensor.array(), await scale.bias!.tensor.array()]).toEqual([[5, 6], [3]]);
    expect(() => scale.loadStateDict({ weight: entry([1], 5) }, { strict: false })).toThrowErrorMatchingInlineSnapshot(
      `[ValueError: loadStateDict: the state must fit the module, got 1 problem: weight must have shape [2], got [1]]`,
    );
  });

  test("converts to the element types of the module, int64 counters of PyTorch among them", async () => {
    const scale = new Scale();
    scale.loadStateDict({
      weight: { dtype: "F64", shape: [2], values: new Float64Array([0.1, 2]) },
      bias: { dtype: "I64", shape: [1], values: new BigInt64Array([4n]) },
      count: { dtype: "I64", shape: [], values: new BigInt64Array([9n]) },
    });
    expect([scale.weight.tensor.dtype, await scale.weight.tensor.array()]).toEqual(["float32", [Math.fround(0.1), 2]]);
    expect([scale.bias!.tensor.dtype, await scale.bias!.tensor.array()]).toEqual(["float32", [4]]);
    expect([scale.count.tensor.dtype, await scale.count.tensor.item()]).toEqual(["int32", 9]);
  });

  test("keeps a frozen parameter frozen and frees what it replaces", () => {
    const device = openDevice("reference");
    return withDevice(device, async () => {
      const scale = new Scale();
      scale.bias!.trainable = false;
      await new SGD(scale.parameters(), { lr: 1 }).step(sum(scale.weight.tensor));
      expect(device.memory.buffers).toBe(1); // the stepped weight
      scale.loadStateDict({ weight: entry([2], 5, 6), bias: entry([1], 7) });
      expect(device.memory.buffers).toBe(0);
      expect([scale.weight.trainable, scale.bias!.trainable]).toEqual([true, false]);
      expect(scale.bias!.tensor.requiresGrad).toBe(false);
    });
  });

  test("lets a module take over an older layout, and undoes that when the state does not fit", () => {
    class Renewed extends Scale {
      extra: Parameter | null = null;
      protected override prepareToLoad(names: ReadonlySet<string>): (() => void) | void {
        if (this.extra || !names.has("extra")) return;
        this.extra = new Parameter(zeros([1]));
        return () => (this.extra = null);
      }
    }
    class Outer extends Module {
      inner = new Renewed();
    }
    const outer = new Outer();
    const state = { "inner.weight": entry([2], 5, 6), "inner.bias": entry([1], 7), "inner.extra": entry([1], 8) };
    expect(() => outer.loadStateDict({ ...state, other: entry([1], 0) })).toThrow(/other is unexpected/);
    expect(outer.inner.extra).toBe(null);
    outer.loadStateDict(state);
    expect(outer.inner.extra?.tensor.values).toEqual(new Float32Array([8]));
  });
});

describe("to", () => {
  test("converts what is floating, there and back", async () => {
    const net = new ConvBn(2, 2);
    const before = await net.stateDict();
    net.conv.weight.trainable = false;
    expect(await net.to("float64")).toBe(net);
    const dtypes = Object.fromEntries([...net.namedSlots()].map(([name, { tensor: t }]) => [name, t.dtype]));
    expect(new Set(Object.values(dtypes))).toEqual(new Set(["float64", "int32"]));
    expect(dtypes["bn.num_batches_tracked"]).toBe("int32");
    expect([net.conv.weight.trainable, net.conv.weight.tensor.requiresGrad]).toEqual([false, false]);
    await net.to("float32");
    expect(await net.stateDict()).toEqual(before);
  });

  test("takes recorded updates of buffers along, although they need the parameters that it replaces", async () => {
    class Tracked extends Module {
      weight = new Parameter(tensor([2]));
      mean = new Buffer(tensor([1]));
    }
    const m = new Tracked();
    await new SGD(m.parameters(), { lr: 0.5 }).step(sum(m.weight.tensor)); // the weight, 1.5, is on the device
    m.mean.update(add(m.mean.tensor, m.weight.tensor), m.weight.tensor);
    await m.to("float64");
    expect([m.mean.pending, m.mean.tensor.dtype, await m.mean.tensor.item()]).toEqual([null, "float64", 2.5]);
  });

  test("knows two types", async () => {
    await expect(new Scale().to("float16" as never)).rejects.toThrow(/^Module\.to: dtype must be/);
    await expect(new Scale().to("int32" as never)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ValueError: Module.to: dtype must be "float32" or "float64", got "int32"]`,
    );
  });

  test("makes a model whose loss is in float64", async () => {
    const scale = await new Scale().to("float64");
    const loss = sum(scale.weight.tensor);
    await realize(loss);
    expect(loss.dtype).toBe("float64");
  });
});

test("a module or parameter of another copy of the package is not passed over", async () => {
  const copies = ["./module.ts?copy", "./slot.ts?copy"]; // modules of their own, with classes of their own
  const [{ Module: OtherModule }, { Parameter: OtherParameter }] = (await Promise.all(
    copies.map((path) => import(/* @vite-ignore */ path)),
  )) as [{ Module: typeof Module }, { Parameter: typeof Parameter }];
  const names = (child: unknown) => expect(() => Object.assign(new Scale(), { child }).parameters());
  names(new (class extends OtherModule {})()).toThrowErrorMatchingInlineSnapshot(
    `[ValueError: Module: child must be of this copy of the package, got a module of another copy of @gridgrad/nn (\`npm ls @gridgrad/nn\` must list one version, once)]`,
  );
  names([new OtherParameter(zeros([1]))]).toThrow(
    /child\.0 must be of this copy of the package, got a Parameter or Buffer/,
  );
  names({ [Symbol.iterator]: 1 }).not.toThrow(); // any other object
});
