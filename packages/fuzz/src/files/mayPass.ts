/** @file Whether a golden case that somebody has changed may pass: by the rules of goldens/README.md, read a second time. */

import type { SafetensorsEntry } from "@gridgrad/core";

import type { GoldenFile, GoldenFolder } from "./drawGolden.ts";

const roles = ["input", "cotangent", "output", "grad"];

/**
 * Why a folder must not pass, or null if it may. What its attributes and inputs lead to is left open: the original's results are right,
 * and those of the changed case are not known here.
 */
export function whyNot({ file, fits }: GoldenFolder, original: GoldenFile): string | null {
  if (!fits) return "the manifest is wrong";
  const { tensors, metadata } = file;
  if (metadata.format !== "golden-1") return "the format is another";
  const own = read(metadata.roles);
  const tolerance = read(metadata.tolerance);
  if (own === null || tolerance === null || read(metadata.attrs) === null) return "a description is none";
  const judged: string[] = [];
  for (const name of Object.keys(tensors)) {
    const role = Object.hasOwn(own, name) ? own[name] : undefined;
    if (!roles.includes(role as string)) return "a tensor has no role";
    if (role === "output" || role === "grad") judged.push(name);
  }
  if (judged.length === 0) return "nothing is compared";
  const before = read(original.metadata.roles)!;
  for (const name of judged) {
    const limits = Object.hasOwn(tolerance, name) ? (tolerance[name] as Record<string, unknown> | null) : null;
    const { atol, rtol } = limits ?? {};
    if (!isLimit(atol) || !isLimit(rtol)) return "a tolerance is none";
    if (before[name] !== own[name]) continue; // what it has to be is not known
    if (!isNear(tensors[name], original.tensors[name], atol, rtol)) return "a number is wrong";
  }
  return null;
}

function read(text: string | undefined): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function isLimit(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

/** Whether results that are right for `original` can be right for `changed`: each is as near to its reference as it may be. */
function isNear(changed: SafetensorsEntry, original: SafetensorsEntry, atol: number, rtol: number): boolean {
  const [a, b] = [changed.values, original.values].map((values) => Array.from(values, Number));
  return b.every((value, i) => {
    if (Object.is(a[i], value) || a[i] === value) return true;
    return (
      Math.abs(a[i] - value) <= 2 * (atol + rtol * Math.max(Math.abs(a[i]), Math.abs(value))) + 1e-4 * Math.abs(value)
    );
  });
}
