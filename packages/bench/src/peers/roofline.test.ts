import { expect, test } from "vitest";

import { fasterOf } from "./machine.ts";
import { bandwidthFor, leastMs, type Machine } from "./roofline.ts";

const machine: Machine = {
  copies: [
    { bytes: 1e6, gigabytesPerSecond: 100, by: "machine" },
    { bytes: 1e6, gigabytesPerSecond: 80, by: "PyTorch" },
    { bytes: 1e9, gigabytesPerSecond: 10, by: "machine" },
    { bytes: 1e9, gigabytesPerSecond: 12, by: "PyTorch" },
  ],
  macs: [
    { gigamacsPerSecond: 20, by: "machine" },
    { gigamacsPerSecond: 50, by: "PyTorch" },
  ],
};

test("bandwidthFor takes the fastest copy of the largest size that fits, and the smallest size where none does", () => {
  expect([1, 1e6, 5e8, 1e9, 1e10].map((bytes) => bandwidthFor(bytes, machine))).toEqual([100, 100, 100, 12, 12]);
});

test("leastMs is the time of whichever takes longer: the bytes, or the multiply-adds at the highest peak", () => {
  expect(leastMs({ macs: 5e9, bytes: 0 }, machine)).toBe(100); // 5 G at 50 G/s
  expect(leastMs({ macs: 0, bytes: 1.2e9 }, machine)).toBe(100); // 1.2 GB at 12 GB/s
  expect(leastMs({ macs: 5e9, bytes: 2.4e9 }, machine)).toBe(200);
});

test("of two measurements the higher of each rate counts, each meter and size by itself", () => {
  const slower = {
    copies: machine.copies.map((copy) => ({ ...copy, gigabytesPerSecond: 11 })).reverse(),
    macs: machine.macs.map((rate) => ({ ...rate, gigamacsPerSecond: 30 })),
  };
  const faster = fasterOf(machine, slower);
  expect(faster.copies.map(({ gigabytesPerSecond }) => gigabytesPerSecond)).toEqual([100, 80, 11, 12]);
  expect(faster.macs.map(({ gigamacsPerSecond }) => gigamacsPerSecond)).toEqual([30, 50]);
});
