/**
 * @file What the gate runs wherever the packages are installed: three training steps of a small network with a DySample layer, on each
 * device that it is given. Sums are bit-equal on every engine, so the losses must be, too.
 */
import { DySample, crossEntropy, getDevice, nn, Random, setDevice, tensor } from "gridgrad";

/** The losses of three steps by the names of the devices. @param {readonly string[]} devices */
export async function trainStep(devices) {
  /** @type {Record<string, number[]>} */
  const losses = {};
  for (const device of devices) {
    setDevice(device);
    const random = new Random(7);
    const [conv, up] = [new nn.Conv2d(3, 8, 3, { padding: 1, random }), new DySample(8, { groups: 2, random })];
    const head = new nn.Conv2d(8, 2, 1, { random });
    const parameters = [conv, up, head].flatMap((layer) => [...layer.parameters()]);
    const optimizer = new nn.AdamW(parameters, { lr: 0.01 });
    const x = random.normal([2, 3, 6, 6]);
    const target = tensor(
      Array.from({ length: 2 * 12 * 12 }, (_, i) => (i * 7) % 2),
      [2, 12, 12],
      { dtype: "int32" },
    );
    losses[device] = [];
    for (let step = 0; step < 3; step++) {
      const loss = crossEntropy(head.forward(up.forward(conv.forward(x).relu())), target);
      losses[device].push((await optimizer.step(loss)).loss);
    }
    await getDevice().close();
  }
  return losses;
}
