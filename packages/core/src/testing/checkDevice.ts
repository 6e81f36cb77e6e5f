/**
 * @file Devices against the loops: the same graph in float32 on a device and in float64 on the reference device.
 */

import { gradientsOf } from "../autograd.ts";
import { type Device, ReferenceDevice, withDevice } from "../device.ts";
import { isFloat } from "../dtype.ts";
import { leaf } from "../leaf.ts";
import { add } from "../ops/add.ts";
import { mul } from "../ops/mul.ts";
import { sum } from "../ops/sum.ts";
import { Random } from "../random.ts";
import { readValues, realize } from "../realize.ts";
import type { Tensor } from "../tensor.ts";
import { deviceLimit } from "./tolerance.ts";

/** The value, gradients and gradients of gradients of `f`, each as a list of tensors. */
type Results = { readonly name: string; readonly t: Tensor }[];

/**
 * Throws unless `f` and its gradients of first and second order are the same on `device`, in float32, as those of the loops in float64.
 *
 * @param xs - leaves whose floating values float32 holds exactly.
 * @param seed - of the directions in which gradients are taken.
 * @throws {Error} that names what differs, where and by how much; an infinity equals itself only, NaN nothing. Also
 * when there is nothing to compare.
 */
export async function checkDevice(
  device: Device,
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  seed = 0,
): Promise<void> {
  const run = (on: Device, dtype: "float32" | "float64"): Promise<{ name: string; values: ArrayLike<number> }[]> =>
    withDevice(on, async () => {
      const results = graph(
        f,
        xs.map((x) => (isFloat(x.dtype) ? leaf(x.shape, dtype, toType(x, dtype)) : x)),
        seed,
      );
      await realize(...results.map(({ t }) => t));
      const values = [];
      for (const { name, t } of results) values.push({ name, values: await readValues(t) });
      return values;
    });
  const wanted = await run(new ReferenceDevice(), "float64");
  if (wanted.every(({ values }) => values.length === 0)) throw new Error("checkDevice: f must have elements, got none");
  const got = await run(device, "float32");
  wanted.forEach(({ name, values }, k) => {
    let largest = 0; // of the finite ones: the limit of an infinity would be infinite too
    for (let i = 0; i < values.length; i++)
      if (Number.isFinite(values[i])) largest = Math.max(largest, Math.abs(values[i]));
    const limit = deviceLimit(largest);
    for (let i = 0; i < values.length; i++) {
      const error = got[k].values[i] === values[i] ? 0 : Math.abs(got[k].values[i] - values[i]);
      if (!(error <= limit)) {
        throw new Error(
          `checkDevice: ${name}[${i}] on ${device.name} must be ${values[i]} to within ${limit.toExponential(1)}, got ${got[k].values[i]}`,
        );
      }
    }
  });
}

function graph(f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[], seed: number): Results {
  const random = new Random(seed);
  const direction = (like: Tensor): Tensor => {
    const { values } = random.uniform(like.shape, { low: -1, high: 1, dtype: "float32" });
    return leaf(like.shape, like.dtype, like.dtype === "float64" ? Float64Array.from(values!) : values!);
  };
  const y = f(...xs);
  const results: Results = [{ name: "y", t: y }];
  const wrt = xs.filter((x) => isFloat(x.dtype));
  if (!isFloat(y.dtype) || wrt.length === 0) return results;
  const first = gradientsOf(sum(mul(y, direction(y))), wrt);
  const dots: Tensor[] = [];
  first.forEach((dx, k) => {
    if (!dx) return;
    results.push({ name: `dx${k}`, t: dx });
    dots.push(sum(mul(dx, direction(dx))));
  });
  if (dots.length === 0) return results;
  gradientsOf(dots.reduce(add), wrt).forEach((ddx, k) => ddx && results.push({ name: `ddx${k}`, t: ddx }));
  return results;
}

function toType(x: Tensor, dtype: "float32" | "float64"): Float32Array | Float64Array {
  return dtype === "float64" ? Float64Array.from(x.values!) : Float32Array.from(x.values!);
}
