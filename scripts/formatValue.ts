/**
 * @file How a value is written in the comments of examples: `3`, `[1, 2]`, `reference`, `{ kernels: 3 }`.
 *
 * A number has the fewest digits that give it back. Which digits those are depends on the type: the float32 nearest to 0.1 is
 * 0.10000000149011612 in float64, and 0.1 to whoever wrote it. So the elements of a Float32Array are written with as many digits
 * as tell float32 numbers apart, and so is a lone number that is exactly a float32, as `item()` and `array()` give them.
 */

/** The text that a comment must show for `value`. Text itself is bare, but in quotes inside arrays and objects. */
export function formatValue(value: unknown): string {
  return typeof value === "string" ? value : format(value);
}

function format(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return Math.fround(value) === value ? formatFloat32(value) : String(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Promise) throw new Error("formatValue: value must not be a promise; write await before it");
  if (value instanceof Float32Array) return list(Array.from(value, formatFloat32));
  if (ArrayBuffer.isView(value)) return list(Array.from(value as Float64Array, String));
  if (Array.isArray(value)) return list(value.map(format));
  // Tensors, errors and explanations know how to write themselves.
  if (value.toString !== Object.prototype.toString) return String(value);
  const entries = Object.entries(value).map(([key, entry]) => `${key}: ${format(entry)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

function list(parts: readonly string[]): string {
  return `[${parts.join(", ")}]`;
}

/** The shortest decimal that float32 reads back as `value`. */
function formatFloat32(value: number): string {
  if (Number.isSafeInteger(value)) return String(value); // 123456792, where 123456790 would do
  const enough = 9; // digits; so many tell all float32 numbers apart
  for (let digits = 1; digits < enough; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(enough)));
}
