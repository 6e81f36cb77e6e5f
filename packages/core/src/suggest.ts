/** @file "Did you mean": the name that is nearest to a misspelt one. */

/** Letters that may be wrong, missing or too many: more is another word. */
const mostEdits = 3;

/** Other words for the same, without capitals and underscores. */
const synonyms: Readonly<Record<string, string>> = { learningrate: "lr", epsilon: "eps", usebias: "bias" };

/**
 * The nearest of `names`, or `null` if none is near. Capitals, `_` and `-` do not count, so PyTorch's spelling is found; then comes a name
 * of which `given` is a part, or that is `given` but for a letter or two; then the one with the fewest letters to change.
 *
 * @example
 * ```ts
 * suggest("padding_mode", ["padding", "paddingMode"]); // paddingMode
 * suggest("strides", ["stride", "padding"]); // stride
 * suggest("groups", ["stride", "padding"]); // null
 * ```
 */
export function suggest(given: string, names: readonly string[]): string | null {
  const wanted = synonyms[plain(given)] ?? plain(given);
  const near = names
    .map((name) => ({ name, edits: distance(wanted, plain(name)) }))
    .filter(({ name, edits }) => edits <= Math.min(mostEdits, name.length / 2))
    .sort((a, b) => a.edits - b.edits)[0];
  return near ? near.name : null;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, "");
}

/** 0 for the same word, less than 1 for a part of the other one, else letters to change. */
function distance(given: string, name: string): number {
  const longer = name.length - given.length;
  const isPart = given.length > 2 && name.includes(given); // shorter parts are in every word
  if (isPart || (longer >= -2 && name.length > 2 && given.includes(name))) return Math.abs(longer) / 100;
  return editDistance(given, name);
}

/** Levenshtein's distance, one row of its table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
