/** @file "Did you mean": the name that is nearest to a misspelt one. */

/** Letters that may be wrong, missing or too many: more is another word. */
const most = 3;

/** The nearest of `names`, or `null` if none is near. */
export function suggest(given: string, names: readonly string[]): string | null {
  const near = names
    .map((name) => ({ name, edits: editDistance(given.toLowerCase(), name) }))
    .sort((a, b) => a.edits - b.edits)[0];
  return near && near.edits <= Math.min(most, near.name.length / 2) ? near.name : null;
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
