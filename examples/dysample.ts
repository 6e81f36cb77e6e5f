/** @file DySample on one picture: a layer learns where to read in the small picture, so that the edges of the large one come back. */

import { avgPool2d, DySample, interpolate, mseLoss, nn, Random, type Tensor, tensor, zeros } from "gridgrad";
import { writePng } from "gridgrad/node";

// A picture of 64 x 64 pixels: a disc in a ring, before a stripe. Half of its size is all that the layer gets to see.
const size = 64;
const colourAt = (x: number, y: number): number[] => {
  const distance = (x - 36) ** 2 + (y - 28) ** 2;
  if (distance < 18 ** 2) return [0.9, 0.3, 0.2];
  if (distance > 21 ** 2 && distance < 24 ** 2) return [0.1, 0.2, 0.6];
  return Math.abs(x - y + 6) < 5 ? [0.1, 0.5, 0.3] : [0.95, 0.9, 0.8];
};
const values = [0, 1, 2].map((channel) =>
  Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => colourAt(x, y)[channel])),
);
const large = tensor([values]); // [1, 3, 64, 64]
const small = avgPool2d(large, 2); // [1, 3, 32, 32]

// DySample predicts from each pixel how far to move the four points that it becomes. Here the prediction sees the pixels around it, too,
// since one pixel alone does not know on which side of an edge it lies.
const random = new Random(1);
const up = new DySample(3, { scale: 2, groups: 1, scope: 1, random });
up.offset = new nn.Conv2d(3, 8, 5, { padding: 2, random });
up.offset.weight = new nn.Parameter(nn.normal([8, 3, 5, 5], { std: 0.001, random }));
up.offset.bias = new nn.Parameter(zeros([8]));

// How alike two pictures are, in decibel: three more of them halve the mean squared error.
const psnr = async (picture: Tensor) => (-10 * Math.log10(await mseLoss(picture, large).item())).toFixed(1);
const bilinear = interpolate(small, { scaleFactor: 2, mode: "bilinear" });
console.log("bilinear:", await psnr(bilinear), "dB");
// bilinear: 20.1 dB

const optimizer = new nn.Adam(up.parameters(), { lr: 0.01 });
for (let step = 0; step < 300; step++) {
  if (step % 100 === 0) console.log(`DySample after ${step} steps:`, await psnr(up.forward(small)), "dB");
  // DySample after 0 steps: 20.1 dB
  // DySample after 100 steps: 22.0 dB
  // DySample after 200 steps: 22.4 dB
  await optimizer.step(mseLoss(up.forward(small), large));
}
console.log("DySample after 300 steps:", await psnr(up.forward(small)), "dB");
// DySample after 300 steps: 22.7 dB

// Side by side: the picture, bilinear, DySample.
const pictures = await Promise.all([large, bilinear, up.forward(small)].map((picture) => picture.data()));
const data = new Uint8Array(3 * size * size * 3);
for (let y = 0; y < size; y++) {
  for (let x = 0; x < 3 * size; x++) {
    for (let c = 0; c < 3; c++) {
      const value = pictures[Math.floor(x / size)][(c * size + y) * size + (x % size)];
      data[(y * 3 * size + x) * 3 + c] = Math.round(255 * value);
    }
  }
}
await writePng("dysample.png", { width: 3 * size, height: size, channels: 3, data });
console.log("written: dysample.png"); // written: dysample.png
