/**
 * @file Finds the examples that readers see: the ```ts blocks of `@example` tags in TypeScript, and those of Markdown pages.
 * A Markdown block whose first line says ```ts shown is for reading only.
 */

import ts from "typescript";

/** Code that is shown together with the values it gives. */
export interface Example {
  /** Path of the file, relative to the root of the repository. */
  readonly file: string;
  /** The symbol that it documents, or the heading that it stands under. */
  readonly title: string;
  /** Line of `file` on which `code` starts, counted from 1. */
  readonly line: number;
  /** Empty where an `@example` has no ```ts block. */
  readonly code: string;
}

/** The examples in `text`, which is TypeScript or Markdown as the name of `file` says. */
export function findExamples(file: string, text: string): Example[] {
  return file.endsWith(".md") ? inMarkdown(file, text) : inTypeScript(file, text);
}

function inMarkdown(file: string, text: string): Example[] {
  return blocks(text.split("\n"), 1).map(({ line, code, heading }) => ({ file, title: heading, line, code }));
}

function inTypeScript(file: string, text: string): Example[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const seen = new Set<number>();
  const examples: Example[] = [];
  const visit = (node: ts.Node): void => {
    for (const doc of ts.getJSDocCommentsAndTags(node)) {
      if (!ts.isJSDoc(doc) || seen.has(doc.pos)) continue; // a variable's comment is also that of its parts
      seen.add(doc.pos);
      for (const { line, lines } of exampleTags(source, doc)) {
        const found = blocks(lines, line);
        if (found.length === 0) examples.push({ file, title: nameOf(node), line, code: "" });
        for (const block of found) examples.push({ file, title: nameOf(node), line: block.line, code: block.code });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return examples;
}

/** The lines of each `@example` of a comment, up to the next tag, without the asterisks in front. */
function exampleTags(source: ts.SourceFile, doc: ts.JSDoc): { line: number; lines: string[] }[] {
  const first = source.getLineAndCharacterOfPosition(doc.pos).line + 1;
  const lines = source.text
    .slice(doc.pos, doc.end)
    .replace(/\*\/$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*(\/\*\*|\*) ?/, ""));
  const tags: { line: number; lines: string[] }[] = [];
  let open = false;
  lines.forEach((line, i) => {
    if (/^@\w/.test(line)) {
      open = line.startsWith("@example");
      if (open) tags.push({ line: first + i, lines: [] });
    }
    if (open) tags[tags.length - 1].lines.push(line);
  });
  return tags;
}

/** The fenced ```ts blocks among `lines`, the first of which is line `first` of its file. */
function blocks(lines: readonly string[], first: number): { line: number; code: string; heading: string }[] {
  const found: { line: number; code: string; heading: string }[] = [];
  let heading = "";
  for (let i = 0; i < lines.length; i++) {
    const opening = /^(\s*)(`{3,})(.*)$/.exec(lines[i]);
    if (!opening) {
      heading = /^#+ (.*)$/.exec(lines[i])?.[1] ?? heading;
      continue;
    }
    const [, indent, fence, info] = opening;
    const start = i + 1;
    do i++;
    while (i < lines.length && lines[i].trim() !== fence);
    const code = lines.slice(start, i).map((line) => line.slice(Math.min(indent.length, line.search(/\S|$/))));
    if (info.trim() === "ts") found.push({ line: first + start, code: code.join("\n"), heading });
  }
  return found;
}

/** `Tensor.backward` for a member, the declared name for anything else. */
function nameOf(node: ts.Node): string {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations[0].name.getText();
  const name = ts.getNameOfDeclaration(node as ts.Declaration)?.getText() ?? "file";
  const { parent } = node;
  const inside = ts.isClassDeclaration(parent) || ts.isInterfaceDeclaration(parent);
  return inside && parent.name ? `${parent.name.text}.${name}` : name;
}
