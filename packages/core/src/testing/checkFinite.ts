/**
 * @file Special values on devices: NaN and infinities come out where they come out of the loops, and nowhere else.
 */

import { gradientsOf } from "../autograd.ts";
import { type Device, ReferenceDevice, withDevice } from "../device.ts";
import { isFloat, type Values } from "../dtype.ts";
import { leaf } from "../leaf.ts";
import { Random } from "../random.ts";
import { readValues, realize } from "../realize.ts";
import type { Tensor } from "../tensor.ts";
import { place, type Placement } from "./specialValues.ts";
import { deviceLimit } from "./tolerance.ts";

type Results = { readonly name: string; readonly values: Values }[];

/**
 * Throws unless `f` and its first gradients, of inputs and of an incoming gradient that hold special values, are on `device` what the loops
 * give in float32, element by element:
 *
 * - NaN where the loops give NaN, and an infinity of the same sign where they give one. They can be told apart: whatever the order of a sum, it
 *   is infinite if its terms are infinities of one sign and numbers, and NaN if there is a NaN or infinities of both. Only a sum of numbers that
 *   overflows depends on its order, and the inputs are not that large.
 * - finite where the loops give a number, to within `deviceLimit` of the tensor's largest finite number. The sign of a zero is not looked at.
 *
 * What no device has to keep to stands in finiteExceptions.ts.
 *
 * @param xs - leaves whose floating values float32 holds exactly.
 * @param places - where which special values go: into the floating `xs`, in order, and into the gradient that comes in, which is the last.
 * @param seed - of the incoming gradient.
 * @throws {Error} that names what differs, where, and the special values.
 */
export async function checkFinite(
  device: Device,
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  places: readonly Placement[],
  seed = 0,
): Promise<void> {
  const floats = xs.filter((x) => isFloat(x.dtype));
  const inputs = xs.map((x) => {
    if (!isFloat(x.dtype)) return x;
    return place(leaf(x.shape, "float32", Float32Array.from(x.values!)), floats.indexOf(x), floats.length + 1, places);
  });
  const run = (on: Device): Promise<Results> =>
    withDevice(on, async () => {
      const graph = valueAndGradients(f, inputs, (dy) => place(dy, floats.length, floats.length + 1, places), seed);
      await realize(...graph.map(({ t }) => t));
      const results = [];
      for (const { name, t } of graph) results.push({ name, values: await readValues(t) });
      return results;
    });
  const wanted = await run(new ReferenceDevice());
  const got = await run(device);
  wanted.forEach(({ name, values }, k) => {
    let largest = 0;
    for (const value of values) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
    const limit = deviceLimit(largest);
    for (let i = 0; i < values.length; i++) {
      const [right, value] = [values[i], got[k].values[i]];
      if (!Number.isFinite(right) ? Object.is(value, right) : Math.abs(value - right) <= limit) continue;
      const where = places.map((p) => `${p.count} x ${p.value} from element ${p.at} of tensor ${p.tensor}`);
      const margin = Number.isFinite(right) ? ` to within ${limit.toExponential(1)}` : "";
      throw new Error(
        `checkFinite: ${name}[${i}] on ${device.name} must be ${right}${margin}, as on the loops, got ${value} with ${where.join(", ")}`,
      );
    }
  });
}

function valueAndGradients(
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  withPlaces: (dy: Tensor) => Tensor,
  seed: number,
): { readonly name: string; readonly t: Tensor }[] {
  const y = f(...xs);
  const graph = [{ name: "y", t: y }];
  if (!isFloat(y.dtype)) return graph;
  const dy = new Random(seed).uniform(y.shape, { low: -1, high: 1, dtype: "float32" });
  gradientsOf(y, xs, withPlaces(dy)).forEach((dx, k) => dx && graph.push({ name: `dx${k}`, t: dx }));
  return graph;
}
