/** @file Options as text: how layers and optimisers show what they were made with. */

/** Entries of a list that are shown. */
const longest = 8;

/** `padding: 1, betas: [0.9, 0.999]`: those of `options` that are plain data. An object under the name `options` is taken apart. */
export function showOptions(options: object): string {
  return Object.entries(options)
    .flatMap(([name, value]) => {
      const text = name === "options" && isPlain(value) ? showOptions(value) : showOption(value);
      return text ? [name === "options" ? text : `${name}: ${text}`] : [];
    })
    .join(", ");
}

/** `null` for what is no plain data, or nothing. */
function showOption(value: unknown): string | null {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) {
    const entries = value.slice(0, longest).map(showOption);
    if (entries.length === 0 || entries.includes(null)) return null;
    return `[${[...entries, ...(value.length > longest ? ["..."] : [])].join(", ")}]`;
  }
  if (!isPlain(value)) return null;
  const inside = showOptions(value);
  return inside === "" ? null : `{ ${inside} }`;
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
