/** @file Which device is best for work that may run on any. */

/**
 * The device for work that may run on any: `gpu` where a graphics card answers, else `cpu`.
 *
 * @example
 * ```ts
 * setDevice(await bestDevice()).name; // cpu
 * ```
 */
export async function bestDevice(): Promise<"gpu" | "cpu"> {
  const { hasGraphicsCard } = await import("./backend.ts");
  return (await hasGraphicsCard()) ? "gpu" : "cpu";
}
