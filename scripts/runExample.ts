/**
 * @file Runs an example and compares what it gives with what its comments say.
 *
 *     const x = tensor([1, 2]);
 *     await x.mul(3).data(); // [3, 6]
 *     x.mul(3)
 *       .reshape([2, 1])
 *       .shape; // [2, 1], a column
 *     console.log("size", x.size); // size 2
 *     console.log("a\nb");
 *     // a
 *     // b
 *
 * The comment that ends an expression is its value, as `formatValue` writes it. A remark that starts with a small letter may follow
 * after a comma, except where the value is text. `console.log` shows what it prints, which may also stand in the comment lines right
 * below it. Comments of anything else (`const`, `if`, an import, a line of their own) are just comments.
 */

import ts from "typescript";

import type { Example } from "./findExamples.ts";
import { formatValue } from "./formatValue.ts";

export interface Surroundings {
  /** What the code can use without importing it. */
  readonly scope: Readonly<Record<string, unknown>>;
  /** Resolves an import. */
  readonly load: (specifier: string) => Promise<unknown>;
}

/**
 * @returns how many values were compared: at least one.
 * @throws {Error} that gives file and line of each value that differs, of what was thrown, or of an example without a value.
 */
export async function runExample(example: Example, { scope, load }: Surroundings): Promise<number> {
  const at = (line: number): string => `${example.file}:${example.line + line}`;
  const { code, values } = instrument(example.code, at);
  if (values === 0)
    throw new Error(`${at(0)}: an example must show a value: a \`\`\`ts block with "expression; // value"`);
  const wrong: string[] = [];
  let [reached, compared] = [0, 0];
  const $: Instruments = {
    load,
    at: (line) => {
      reached = line;
    },
    check: (line, said, value) => {
      compared++;
      if (agrees(said, value)) return;
      const printed = formatValue(value);
      const severalLines = `${said}${printed}`.includes("\n");
      wrong.push(`${at(line)}: ${severalLines ? `says\n${said}\nis\n${printed}` : `says ${said}, is ${printed}`}`);
    },
  };
  const console = { log: (...printed: unknown[]) => printed.map(formatValue).join(" ") };
  const given = { ...scope, $, console };
  try {
    // What is given comes as arguments of a function around the code, so that the code may declare the same names.
    await (new Function(...Object.keys(given), `${code}\nreturn example();`)(...Object.values(given)) as Promise<void>);
  } catch (error) {
    throw new Error([...wrong, `${at(reached)}: threw ${String(error)}`].join("\n"), { cause: error });
  }
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  if (compared !== values)
    throw new Error(`${at(reached)}: an example must run to its end: ${values} values, got ${compared}`);
  return compared;
}

/** How many values the comments of `code` show. */
export function countValues(code: string): number {
  return instrument(code, (line) => `line ${line + 1}`).values;
}

/** What instrumented code calls. */
interface Instruments {
  /** Notes which line runs, for the report of an error. */
  readonly at: (line: number) => void;
  readonly check: (line: number, said: string, value: unknown) => void;
  readonly load: (specifier: string) => Promise<unknown>;
}

function agrees(said: string, value: unknown): boolean {
  // A lone number that is exactly a float32 may have been computed in float64, and be written so.
  const forms = typeof value === "number" ? [formatValue(value), String(value)] : [formatValue(value)];
  return forms.some((form) => {
    if (said === form.replace(/ +$/gm, "")) return true;
    return typeof value !== "string" && said.startsWith(`${form}, `) && /^\p{Ll}/u.test(said.slice(form.length + 2));
  });
}

/**
 * The code as a JavaScript function `example`, with a call of `$.at` before each statement and of `$.check` around each expression
 * that shows its value.
 */
function instrument(code: string, at: (line: number) => string): { code: string; values: number } {
  // As a module, in which await may stand anywhere.
  const source = ts.createSourceFile("example.ts", `${code}\nexport {};`, ts.ScriptTarget.ES2023, true);
  const { diagnostics = [] } = ts.transpileModule(source.text, { reportDiagnostics: true });
  const lineOf = (position: number): number => code.slice(0, position).split("\n").length - 1;
  if (diagnostics.length > 0) {
    const [{ start = 0, messageText }] = diagnostics;
    throw new Error(`${at(lineOf(start))}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
  }
  let values = 0;
  const parts = source.statements.slice(0, -1).map((statement) => {
    const text = statement.getText();
    const line = lineOf(statement.getStart());
    const said = valueComment(code, statement);
    if (said !== null) {
      values++;
      const expression = (statement as ts.ExpressionStatement).expression.getText();
      return `$.at(${line}); $.check(${lineOf(statement.end)}, ${JSON.stringify(said)}, (${expression}));`;
    }
    if (ts.isImportDeclaration(statement)) return `$.at(${line}); ${importAsConst(statement)}`;
    return `$.at(${line}); ${text.replace(/^export (?!default)/, "")}`;
  });
  const body = `async function example() {\n${parts.join("\n")}\n}`;
  const { outputText } = ts.transpileModule(body, { compilerOptions: { target: ts.ScriptTarget.ES2023 } });
  return { code: outputText, values };
}

/** What the comment at the end of an expression says, or the comment lines right below a `console.log`; null where there is none. */
function valueComment(code: string, statement: ts.Statement): string | null {
  if (!ts.isExpressionStatement(statement)) return null;
  const [comment] = ts.getTrailingCommentRanges(code, statement.end) ?? [];
  if (comment) return withoutSlashes(code.slice(comment.pos, comment.end));
  const { expression } = statement;
  if (!ts.isCallExpression(expression) || expression.expression.getText() !== "console.log") return null;
  const [, ...below] = code.slice(statement.end).split("\n");
  const end = below.findIndex((line) => !line.startsWith("//"));
  const lines = end < 0 ? below : below.slice(0, end);
  return lines.length > 0 ? lines.map(withoutSlashes).join("\n") : null;
}

function withoutSlashes(comment: string): string {
  return comment.replace(/^\/\/ ?/, "").trimEnd();
}

/** `import { a, b as c } from "m"` as `const { a, b: c } = await $.load("m")`. */
function importAsConst({ importClause: clause, moduleSpecifier }: ts.ImportDeclaration): string {
  const load = `await $.load(${moduleSpecifier.getText()});`;
  if (!clause) return load;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return "";
  const named = clause.namedBindings;
  if (named && ts.isNamespaceImport(named)) return `const ${named.name.text} = ${load}`;
  const bindings = (named?.elements ?? [])
    .filter((element) => !element.isTypeOnly)
    .map(({ propertyName, name }) => (propertyName ? `${propertyName.text}: ${name.text}` : name.text));
  if (clause.name) bindings.push(`default: ${clause.name.text}`);
  return `const { ${bindings.join(", ")} } = ${load}`;
}
