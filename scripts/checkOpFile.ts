/**
 * @file What every op owes its readers, checked in the text of its source and of its tests: documentation of each argument and each
 * error, an example with a value, tests of all five kinds, PyTorch's numbers among them.
 */

import ts from "typescript";

import { findExamples } from "./findExamples.ts";
import { countValues } from "./runExample.ts";

export interface OpFile {
  /** Path of the source, relative to the root of the repository. */
  readonly file: string;
  readonly source: string;
  /** The functions in it that the package exports to its users. */
  readonly ops: readonly string[];
  /** The texts of the test files beside it. */
  readonly tests: readonly string[];
  /** Whether a pattern such as `arithmetic/arithmetic/add_*` matches a golden file. */
  readonly matchesGolden: (pattern: string) => boolean;
}

/** What is missing, a sentence each. */
export function checkOpFile({ file, source, ops, tests, matchesGolden }: OpFile): string[] {
  const program = parse(source);
  const examples = findExamples(file, source);
  const suites = tests.flatMap((text) => suitesOf(parse(text)));
  const missing: string[] = [];
  for (const op of ops) {
    const declared = program.declarations.get(op);
    if (!declared || !ts.isFunctionDeclaration(declared)) {
      missing.push(`${op} must be a function declared in this file, where its documentation belongs`);
      continue;
    }
    missing.push(...missingDocs(op, declared, errorsOf(program, declared, ops)));
    if (!examples.some(({ title, code }) => title === op && countValues(code) > 0)) {
      missing.push(`${op} must have an @example: a \`\`\`ts block with a line "expression; // value"`);
    }
    const patterns = suites.filter((suite) => suite.op === op).map((suite) => suite.patterns);
    if (patterns.length === 0) {
      missing.push(`${op} must be tested by describeOp(${op}, { .. }) in a test file beside it`);
    } else if (!patterns.flat().some(matchesGolden)) {
      missing.push(`${op} must be held to a golden case: describeOp's golden.cases must match a file in goldens/`);
    }
  }
  return missing.map((sentence) => `${file}: ${sentence}`);
}

interface Program {
  readonly source: ts.SourceFile;
  /** What is declared at the top level, by name. */
  readonly declarations: ReadonlyMap<string, ts.Node>;
}

function parse(text: string): Program {
  const source = ts.createSourceFile("op.ts", text, ts.ScriptTarget.ES2023, true);
  const declarations = new Map<string, ts.Node>();
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name) declarations.set(statement.name.text, statement);
    if (!ts.isVariableStatement(statement)) continue;
    for (const each of statement.declarationList.declarations) declarations.set(each.name.getText(), each);
  }
  return { source, declarations };
}

function missingDocs(op: string, declared: ts.FunctionDeclaration, errors: ReadonlySet<string>): string[] {
  const docs = ts.getJSDocCommentsAndTags(declared).filter(ts.isJSDoc);
  if (!docs.some(({ comment }) => comment))
    return [`${op} must have a documentation comment that starts with a sentence`];
  const tags = ts.getJSDocTags(declared);
  const documented = tags.filter(ts.isJSDocParameterTag).map(({ name }) => name.getText());
  const missing: string[] = [];
  for (const { name, type } of declared.parameters) {
    if (!ts.isObjectBindingPattern(name)) {
      const own = name.getText();
      if (!documented.some((path) => path === own || path.startsWith(`${own}.`))) missing.push(`@param ${own}`);
      continue;
    }
    // An interface documents its members itself.
    if (type && ts.isTypeReferenceNode(type) && documented.includes("options")) continue;
    for (const { propertyName, name: local } of name.elements) {
      const option = `options.${(propertyName ?? local).getText()}`;
      if (!documented.includes(option)) missing.push(`@param ${option}`);
    }
  }
  if (!tags.some(ts.isJSDocReturnTag)) missing.push("@returns");
  const thrown = tags.filter(ts.isJSDocThrowsTag).map((tag) => tag.typeExpression?.type.getText());
  for (const error of errors) if (!thrown.includes(error)) missing.push(`@throws {${error}}`);
  return missing.map((tag) => `${op} must be documented with ${tag}`);
}

/** What functions of the core throw for their caller's mistakes. */
const errorsOfCore: Readonly<Record<string, string>> = {
  broadcastShapes: "ShapeError",
  checkDType: "ValueError",
  checkShape: "ValueError",
  normalizeAxes: "ValueError",
  normalizeAxis: "ValueError",
  operands: "DTypeError",
};

/**
 * The errors that a call of `start` can throw, as far as this file shows: in `start` and in whatever of this file it leads to,
 * records of ops included. Not in gradients and loops, which run later; nor in other ops, which have documentation of their own.
 */
function errorsOf({ declarations }: Program, start: ts.Node, ops: readonly string[]): Set<string> {
  const errors = new Set<string>();
  const seen = new Set<ts.Node>();
  const visit = (node: ts.Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (ts.isPropertyAssignment(node) || ts.isMethodDeclaration(node)) {
      const member = node.name.getText();
      if (member === "vjp" || member === "loops") return;
      if (member === "dtype" && ts.isPropertyAssignment(node) && stringOf(node.initializer) === "float") {
        errors.add("DTypeError");
      }
    }
    if (ts.isNewExpression(node) && ts.isThrowStatement(node.parent)) {
      const isOurs = stringOf(node.arguments?.[0])?.startsWith("internal:");
      if (!isOurs) errors.add(node.expression.getText());
    }
    if (ts.isIdentifier(node) && !isMemberName(node)) {
      if (Object.hasOwn(errorsOfCore, node.text)) errors.add(errorsOfCore[node.text]);
      const declaration = declarations.get(node.text);
      if (declaration && !ops.includes(node.text)) visit(declaration);
    }
    ts.forEachChild(node, visit);
  };
  visit(start);
  return errors;
}

/** The calls `describeOp(op, tests)`, with the strings in `tests.golden`, or in what it refers to, that look like golden patterns. */
function suitesOf({ source, declarations }: Program): { op: string; patterns: string[] }[] {
  const suites: { op: string; patterns: string[] }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === "describeOp") {
      const [op, tests] = node.arguments;
      if (op && tests) suites.push({ op: op.getText(), patterns: patternsIn(goldenOf(tests), declarations) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return suites;
}

function goldenOf(tests: ts.Expression): ts.Node {
  const members = ts.isObjectLiteralExpression(tests) ? tests.properties : [];
  return members.find((member) => member.name?.getText() === "golden") ?? tests;
}

function patternsIn(start: ts.Node, declarations: Program["declarations"]): string[] {
  const patterns: string[] = [];
  const seen = new Set<ts.Node>();
  const visit = (node: ts.Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const text = stringOf(node);
    if (text !== undefined && /^\w+\/\w+\/[^/]+$/.test(text)) patterns.push(text);
    if (ts.isIdentifier(node) && !isMemberName(node)) {
      const declaration = declarations.get(node.text);
      if (declaration) visit(declaration);
    }
    ts.forEachChild(node, visit);
  };
  visit(start);
  return patterns;
}

/** The text of a string, with `*` for what a template puts in. */
function stringOf(node: ts.Node | undefined): string | undefined {
  if (!node) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `*${literal.text}`).join("");
}

/** Whether a name is that of a member, as in `x.name` and `{ name: x }`, and so refers to no declaration. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent)) && parent.name === node;
}
