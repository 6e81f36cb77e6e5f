/**
 * @file Files that import each other in a circle, by what they import at run time: types are erased, so they tie nothing. A circle is one
 * floor without stairs. None of its files can be read, or loaded, before the others.
 */

import { dirname, join } from "node:path/posix";

import ts from "typescript";

/**
 * The circles among `sources`, texts by their paths: of each the files, sorted, and the circles by their first file. A file that is in two
 * of them ties them to one.
 */
export function findImportCycles(sources: ReadonlyMap<string, string>): string[][] {
  const imports = new Map([...sources].map(([path, text]) => [path, valueImports(path, text)]));
  const reached = new Map([...imports.keys()].map((path) => [path, reachableFrom(path, imports)]));
  const cycles = new Map<string, string[]>();
  for (const [path, below] of reached) {
    if (!below.has(path)) continue;
    const cycle = [...below].filter((other) => reached.get(other)?.has(path)).sort();
    cycles.set(cycle[0], cycle);
  }
  return [...cycles.values()].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The files that `path` loads: `import { type A }` counts, since an import without names is left of it. */
function valueImports(path: string, text: string): string[] {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023).statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const isType = ts.isImportDeclaration(statement)
      ? statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      : statement.isTypeOnly;
    const from = statement.moduleSpecifier;
    if (isType || !from || !ts.isStringLiteral(from) || !from.text.startsWith(".")) return [];
    return [join(dirname(path), from.text)];
  });
}

/** All files that `path` loads, by way of others too; itself only where it is in a circle. */
function reachableFrom(path: string, imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const due = [...(imports.get(path) ?? [])];
  for (let next = due.pop(); next !== undefined; next = due.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    due.push(...(imports.get(next) ?? []));
  }
  return found;
}
