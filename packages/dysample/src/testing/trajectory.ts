/**
 * @file Follows a training run of PyTorch on the toy task, step by step: from its initial weights the losses, the first
 * gradients, the first logits and the running statistics must come out the same.
 *
 * `fixtures/trajectories/*.safetensors` hold five such runs of 40 steps, computed in float64 and in float32.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { decodeSafetensors, gradientsOf, leaf, realize, type SafetensorsEntry, type Tensor } from "@gridgrad/core";
import { Adam, cosineLr } from "@gridgrad/nn";
import { crossEntropy } from "@gridgrad/ops";

import { Fpn4 } from "../toy/fpn4.ts";
import { makeBatch, trainingDataset } from "../toy/shapes64.ts";

/** PyTorch's run of one upsampler. */
export interface Trajectory {
  readonly upsampler: string;
  readonly tensors: Readonly<Record<string, SafetensorsEntry>>;
  /** Losses before each of the 40 updates, of the float64 run. */
  readonly losses: ArrayLike<number>;
}

const folder = fileURLToPath(new URL("../../fixtures/trajectories/", import.meta.url));

/** Reads the run of `upsampler`, one of the five that there are. */
export function readTrajectory(upsampler: string): Trajectory {
  const files: Readonly<Record<string, string>> = {
    bilinear: "bilinear",
    dysample: "dys_lp",
    "dysample+": "dys_lpplus",
    "dysample-s": "dys_pl",
    "dysample-s+": "dys_plplus",
  };
  const { tensors } = decodeSafetensors(readFileSync(`${folder}${files[upsampler]}.init.safetensors`));
  return { upsampler, tensors, losses: tensors.losses64.values as Float64Array };
}

/**
 * The entries whose names start with `prefix`, without it.
 *
 * @throws {Error} when there is none: a comparison with nothing would always pass.
 */
export function entriesBelow({ tensors }: Trajectory, prefix: string): Record<string, SafetensorsEntry> {
  const entries = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  if (entries.length === 0)
    throw new Error(`entriesBelow: a tensor must have a name that starts with ${prefix}, got none`);
  return Object.fromEntries(entries.map(([name, entry]) => [name.slice(prefix.length), entry]));
}

/** Trains as the run did and calls `after` behind each step. */
export class Follower {
  readonly model: Fpn4;
  readonly optimizer: Adam;
  readonly #dtype: "float32" | "float64";
  readonly #rate = cosineLr({ lr: 0.01, steps: 400, warmup: 20 });

  private constructor(model: Fpn4, dtype: "float32" | "float64") {
    this.model = model;
    this.#dtype = dtype;
    this.optimizer = new Adam(model.parameters(), { lr: 0.01 });
  }

  static async start(trajectory: Trajectory, dtype: "float32" | "float64"): Promise<Follower> {
    const model = new Fpn4(trajectory.upsampler);
    await model.to(dtype);
    model.loadStateDict(entriesBelow(trajectory, "init."));
    return new Follower(model, dtype);
  }

  /** Logits and loss of step `t`, recorded. */
  record(t: number): { logits: Tensor; loss: Tensor } {
    const { images, masks } = makeBatch(trainingDataset(0), 16 * t, 16);
    const x = leaf([16, 3, 64, 64], "float32", images).cast(this.#dtype);
    const logits = this.model.forward(x);
    return { logits, loss: crossEntropy(logits, leaf([16, 64, 64], "int32", masks)) };
  }

  /** Trains step `t` and resolves to its loss. */
  async step(t: number): Promise<number> {
    this.optimizer.lr = this.#rate(t);
    return (await this.optimizer.step(this.record(t).loss)).loss;
  }

  /** Gradients of step 0 by parameter name, and the training-mode logits of image 0. */
  async first(): Promise<{ gradients: Map<string, Tensor>; logits: Tensor }> {
    const { logits, loss } = this.record(0);
    const named = [...this.model.namedParameters()];
    const found = gradientsOf(
      loss,
      named.map(([, p]) => p.tensor),
    );
    const image = logits.slice([[0, 1]]);
    await realize(image, ...found.flatMap((g) => g ?? []));
    return { gradients: new Map(named.flatMap(([name], i) => (found[i] ? [[name, found[i]]] : []))), logits: image };
  }
}
