/** @file A training step as a graph that is not run: what `optimizer.step(loss)` asks for, to look at. */

import { gradientsOf, type Tensor } from "@gridgrad/core";
import { Adam, clipGradNorm, type Module } from "@gridgrad/nn";

/** Adam on the parameters of a model, of which it records the first step. */
export class StepRecorder extends Adam {
  readonly #model: Module;

  constructor(model: Module) {
    super(model.parameters(), { lr: 0.01 }); // any rate: it is data, and the graph is the same
    this.#model = model;
  }

  /** The loss, the norm of its gradients, the new parameters with their state, and the new running statistics. */
  record(loss: Tensor): Tensor[] {
    const tensors = this.parameters.map((p) => p.tensor);
    const due = gradientsOf(loss, tensors).flatMap((gradient, i) => (gradient ? [{ p: tensors[i], gradient }] : []));
    const gradients = due.map(({ gradient }) => gradient);
    const { norm } = clipGradNorm(gradients, Infinity);
    const updates = due.flatMap(({ p, gradient }) => {
      const { value, state } = this.update(p, gradient, undefined, 1);
      return [value, ...Object.values(state)];
    });
    const buffers = [...this.#model.namedBuffers().values()].filter((buffer) => buffer.pending !== null);
    return [loss, norm, ...updates, ...buffers.map((buffer) => buffer.tensor)];
  }
}
