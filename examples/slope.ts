/** @file One slope: how fast what is read from a picture changes as the point moves at which it is read. */

import { grad, gridSample, tensor } from "gridgrad";

// A picture of one row: one picture, one channel, one line, four pixels.
const row = tensor([[[[0, 10, 20, 30]]]]);

// The value at a point. x goes from -1 to 1, from the left edge of the picture to the right edge.
const read = (x: number) => {
  const point = tensor([[[[x, 0]]]]); // x, then y
  return { point, value: gridSample(row, point, { paddingMode: "border" }).sum() };
};

// -0.125 lies a quarter of the way from the second pixel to the third.
const { point, value } = read(-0.125);
const [slope] = grad(value, [point]);
console.log("value:", await value.item());
// value: 12.5
const [byX, byY] = await slope.data();
console.log("gradient by x:", byX, "and by y:", byY);
// gradient by x: 20 and by y: 0

// By hand: move the point a little to both sides, and divide the difference of the values by the distance.
const h = 1 / 64;
const [right, left] = [await read(-0.125 + h).value.item(), await read(-0.125 - h).value.item()];
console.log("finite differences by x:", (right - left) / (2 * h));
// finite differences by x: 20
