/** @file A hill to climb: a point on a map of heights walks uphill, by the gradient of the height at the place where it stands. */

import { grad, gridSample, tensor } from "gridgrad";

// A map of 7 x 9 squares, with their heights in metres. The top is in column 6 of row 2, counted from 0.
const [rows, columns] = [7, 9];
const heights = Array.from({ length: rows }, (_, row) =>
  Array.from({ length: columns }, (_, column) => 99 - (column - 6) ** 2 - 3 * (row - 2) ** 2),
);
const map = tensor([[heights]]); // [1, 1, 7, 9]: one picture with one channel

// x and y go from -1 to 1 across the map, and may be anywhere between the centres of squares. (Beyond the outermost centres it is flat.)
let [x, y] = [-0.8, 0.8];
const visited = new Set<string>();
for (let step = 0; step <= 40; step++) {
  const place = tensor([[[[x, y]]]]);
  const height = gridSample(map, place, { paddingMode: "border" }).sum();
  const [uphill] = grad(height, [place]);
  const [dx, dy] = await uphill.data();
  if (step % 10 === 0)
    console.log(`step ${step}: height ${(await height.item()).toFixed(1)}, slope ${dx.toFixed(1)} ${dy.toFixed(1)}`);
  // step 0: height 23.6, slope 49.5 -73.5
  // step 10: height 95.4, slope 13.5 -10.5
  // step 20: height 98.3, slope 4.5 -10.5
  // step 30: height 98.8, slope 4.5 -10.5
  // step 40: height 98.8, slope 4.5 -10.5

  const square = `${Math.floor(((y + 1) / 2) * rows)} ${Math.floor(((x + 1) / 2) * columns)}`;
  visited.add(square);

  // The steeper it is, the further the point goes.
  x += 0.003 * dx;
  y += 0.003 * dy;
}
// Near the top the point goes to and fro: between two centres the map is a slope, and at a centre another one begins.

// The way that it went:
for (let row = 0; row < rows; row++) {
  console.log(heights[row].map((height, column) => (visited.has(`${row} ${column}`) ? "**" : height)).join(" "));
  // 51 62 71 78 83 86 87 86 83
  // 60 71 80 87 92 95 96 95 92
  // 63 74 83 90 ** ** ** 98 95
  // 60 71 80 ** ** 95 96 95 92
  // 51 62 ** 78 83 86 87 86 83
  // 36 ** 56 63 68 71 72 71 68
  // ** 26 35 42 47 50 51 50 47
}
