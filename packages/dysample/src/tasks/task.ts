/**
 * @file A task: a network, the loss of each training step, and a measure of what came out. The trainer knows tasks only
 * through this interface.
 */

import type { Tensor } from "@gridgrad/core";
import type { Module, Parameter } from "@gridgrad/nn";

import type { Picture } from "../picture/picture.ts";

/** Named results of an evaluation. A class that never occurs has no result: NaN, `null` in a file. */
export type Metrics = Readonly<Record<string, number | readonly number[]>>;

/** Told after each batch of an evaluation how many pictures are done. */
export type OnEvaluated = (images: number) => void | Promise<void>;

export interface EvaluateOptions {
  /** Of the first validation pictures. Default: as many as the configuration says. */
  readonly images?: number;
  readonly onEvaluated?: OnEvaluated;
}

export interface Task {
  /** The network; its initial weights follow from the configuration's seed. */
  readonly model: Module;
  /** Of the network, those that training changes. */
  readonly parameters: readonly Parameter[];
  /** Elements of the parameters in the upsampler or upsamplers. */
  readonly upsamplerParameters: number;
  /** Records the loss of a training step, counted from 0, on that step's own pictures. */
  loss(step: number): Tensor;
  /** Measures the network on validation pictures. */
  evaluate(options?: EvaluateOptions): Promise<Metrics>;
  /** Draws what the network makes of a few validation pictures, beside what is right. */
  strip(): Promise<Picture>;
  /** The results in one line. */
  summary(metrics: Metrics): string;
}
