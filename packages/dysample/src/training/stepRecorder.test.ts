import { expect, test } from "vitest";

import { explain, ReferenceDevice, withDevice } from "@gridgrad/core";
import { Adam } from "@gridgrad/nn";

import { resolveConfig } from "../tasks/config.ts";
import { StepRecorder } from "./stepRecorder.ts";
import { createTask } from "../tasks/createTask.ts";

/** Counts the kernels that it runs. */
class CountingDevice extends ReferenceDevice {
  readonly ops: string[] = [];

  override run(...[op, inputs, info]: Parameters<ReferenceDevice["run"]>): ReturnType<ReferenceDevice["run"]> {
    this.ops.push(op.name);
    return super.run(op, inputs, info);
  }
}

test.each(["bilinear", "dysample+"])(
  "the recorded step of %s has exactly the kernels that a step runs",
  async (upsampler) => {
    const config = resolveConfig({ upsampler, batch: 1 });
    const device = new CountingDevice();
    await withDevice(device, async () => {
      const task = await createTask(config);
      await new Adam(task.model.parameters(), { lr: config.lr }).step(task.loss(0));
    });
    const task = await createTask(config);
    const recorded = explain(...new StepRecorder(task.model).record(task.loss(0))).steps.map(({ op }) => op);
    expect(recorded.length).toBeGreaterThan(400);
    expect(recorded.sort()).toEqual(device.ops.sort());
  },
);
