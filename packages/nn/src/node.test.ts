import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { decodeSafetensors, encodeSafetensors, Random, sum, tensor } from "@gridgrad/core";

import { restoreCheckpoint } from "./checkpoint.ts";
import { BatchNorm2d, Linear } from "./layers.ts";
import { Module } from "./module.ts";
import { loadWeights, readCheckpoint, readStateDict, saveCheckpoint, saveWeights } from "./node.ts";
import { Adam } from "./optimizer.ts";

class Net extends Module {
  head: Linear;
  bn = new BatchNorm2d(2);
  constructor(seed: number) {
    super();
    this.head = new Linear(2, 2, { random: new Random(seed) });
  }
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridgrad-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("weights", () => {
  test("come back as they were saved, with the metadata and the int64 counters that PyTorch has", async () => {
    const [from, to] = [new Net(1), new Net(2)];
    from.bn.num_batches_tracked.set(tensor(5, [], { dtype: "int32" }));
    const path = join(folder, "w.safetensors");
    await saveWeights(path, from, { note: "hello" });
    const { tensors, metadata } = decodeSafetensors(await readFile(path));
    expect(metadata).toEqual({ format: "pt", note: "hello" });
    expect(tensors["bn.num_batches_tracked"]).toEqual({ dtype: "I64", shape: [], values: new BigInt64Array([5n]) });
    await loadWeights(path, to);
    expect(await to.stateDict()).toEqual(await from.stateDict());
  });

  test("are found in a checkpoint, too", async () => {
    const [from, to] = [new Net(1), new Net(2)];
    const path = join(folder, "c.safetensors");
    await saveCheckpoint(path, { model: from }, 3);
    await loadWeights(path, to);
    expect(await to.stateDict()).toEqual(await from.stateDict());
    expect(Object.keys((await readStateDict(path)).tensors)).toContain("head.weight");
  });

  test("that do not fit are refused with the path of the file", async () => {
    const path = join(folder, "w.safetensors");
    await saveWeights(path, new Linear(2, 2));
    const model = new Linear(2, 3);
    const before = await model.stateDict();
    await expect(loadWeights(path, model)).rejects.toThrow(
      `${path}: loadStateDict: the state must fit the module, got 2 problems: weight must have shape [3, 2], got [2, 2]; `,
    );
    expect(await model.stateDict()).toEqual(before);
    const part = await loadWeights(path, new Linear(2, 2, { bias: false }), { strict: false });
    expect(part).toEqual({ missing: [], unexpected: ["bias"] });
  });
});

test("what is no module, or no weights but a .pth file, is told", async () => {
  await expect(loadWeights("w.safetensors", [] as never)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ValueError: loadWeights: the model must be a module, got an array of length 0]`,
  );
  const path = join(folder, "model.pth");
  await writeFile(path, Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0, 0, 0]));
  await expect(loadWeights(path, new Net(1))).rejects.toThrow(
    `${path}: safetensors: a file must be of this format, got one`,
  );
});

describe("checkpoints", () => {
  test("come back from disk, with what the program put beside them", async () => {
    const path = join(folder, "runs", "c.safetensors");
    const model = new Net(1);
    const optimizer = new Adam(model.parameters(), { lr: 0.1 });
    await optimizer.step(sum(model.head.forward(tensor([1, 2]))));
    await saveCheckpoint(path, { model, optimizer }, 1, { name: "run" });
    const checkpoint = await readCheckpoint(path);
    expect([checkpoint.step, checkpoint.extra]).toEqual([1, { name: "run" }]);
    const other = new Net(2);
    restoreCheckpoint(checkpoint, { model: other, optimizer: new Adam(other.parameters(), { lr: 1 }) });
    expect(await other.stateDict()).toEqual(await model.stateDict());
  });

  test("that are none are refused with the path of the file", async () => {
    const path = join(folder, "c.safetensors");
    await saveWeights(path, new Net(1));
    await expect(readCheckpoint(path)).rejects.toThrow(`${path}: checkpoint: metadata must have format`);
    await writeFile(path, "not a checkpoint at all");
    await expect(readCheckpoint(path)).rejects.toThrow(`${path}: safetensors: the header must have at most`);
    await expect(loadWeights(path, new Net(1))).rejects.toThrow(`${path}: safetensors: `);
    await writeFile(path, encodeSafetensors({}, { format: "gridgrad-checkpoint-1", step: "x" }));
    await expect(loadWeights(path, new Net(1))).rejects.toThrow(`${path}: checkpoint: step must be`);
    await expect(readCheckpoint(join(folder, "none"))).rejects.toThrow(/ENOENT/);
  });

  test("leave the former one when the new one cannot be made", async () => {
    const path = join(folder, "c.safetensors");
    const model = new Net(1);
    await saveCheckpoint(path, { model }, 1);
    const former = await readFile(path);
    await expect(saveCheckpoint(path, { model }, -1)).rejects.toThrow(/step must be/);
    await expect(saveCheckpoint(path, { model }, 1, 1n)).rejects.toThrow(/BigInt/);
    expect(await readFile(path)).toEqual(former);
    expect(await readdir(folder)).toEqual(["c.safetensors"]);
  });
});

test("a model loads what another element type has written", async () => {
  const path = join(folder, "w.safetensors");
  const from = await new Net(1).to("float64");
  await saveWeights(path, from);
  const to = new Net(2);
  await loadWeights(path, to);
  expect(to.head.weight.tensor.dtype).toBe("float32");
  expect(await to.head.weight.tensor.array()).toEqual(await from.head.weight.tensor.array());
});
