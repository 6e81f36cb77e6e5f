/**
 * @file The rules that keep GPU kernels meaning the same in every language that gpu.js translates to: docs/5-gpu.md tells why.
 *
 * They are checked on the source. What a kernel breaks shows on some backends only, and there often as wrong numbers.
 */

import ts from "typescript";

/** What is wrong with the kernels of a file, a sentence each; and their names, so that a caller sees that there were any. */
export function checkKernels(file: string, source: string): { names: string[]; wrong: string[] } {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ESNext, true);
  const names: string[] = [];
  const wrong: string[] = [];
  for (const statement of tree.statements) {
    if (!ts.isFunctionDeclaration(statement) || !/^(\w*Kernel|quotient)$/.test(statement.name?.text ?? "")) continue;
    names.push(statement.name!.text);
    for (const { node, what } of checkKernel(statement)) {
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
      wrong.push(`${file}:${line + 1}: ${statement.name!.text} ${what}: ${firstLine(node.getText())}`);
    }
  }
  return { names, wrong };
}

interface Finding {
  readonly node: ts.Node;
  readonly what: string;
}

/** Math functions that every backend has, with enough digits. */
const functions = new Set(["abs", "ceil", "exp", "floor", "log", "max", "min", "pow", "sqrt", "tanh", "sign"]);

function checkKernel(kernel: ts.FunctionDeclaration): Finding[] {
  const found: Finding[] = [];
  const report = (node: ts.Node, what: string): void => void found.push({ node, what });
  const parameters = new Set(kernel.parameters.map((p) => p.name.getText()).filter((name) => name !== "this"));
  const declared = new Set(parameters);

  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node)) return; // erased
    if (ts.isFunctionLike(node)) report(node, "must have no functions inside");
    if (ts.isVariableDeclarationList(node) && node.declarations.length !== 1)
      report(node, "must declare one name a statement");
    if (ts.isVariableDeclaration(node)) {
      if (!node.initializer) report(node, "must give a value to what it declares");
      const name = node.name.getText();
      if (declared.has(name)) report(node, `must declare ${name} once`);
      declared.add(name);
    }
    if (ts.isForStatement(node) && !isCountingLoop(node)) report(node, "must count loops up from a whole number by 1");
    if (ts.isWhileStatement(node) || ts.isDoStatement(node)) report(node, "must loop with for");
    if (ts.isConditionalExpression(node)) report(node, "must branch with if");
    if (ts.isIfStatement(node) && !ts.isBlock(node.thenStatement))
      report(node, "must put braces around what an if does");
    if (ts.isBinaryExpression(node)) checkOperator(node, parameters, report);
    if (ts.isIdentifier(node) && (node.text === "NaN" || node.text === "Infinity" || node.text === "undefined")) {
      report(node, "must not name what is not a finite number");
    }
    if (ts.isCallExpression(node)) checkCall(node, report);
    if (ts.isPropertyAccessExpression(node)) checkProperty(node, report);
    if (ts.isIdentifier(node) && isVariable(node) && !declared.has(node.text)) {
      report(node.parent, `must be closed, and ${node.text} is declared elsewhere`);
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(kernel.body!, visit);
  return found;
}

function checkOperator(
  whole: ts.BinaryExpression,
  parameters: ReadonlySet<string>,
  report: (node: ts.Node, what: string) => void,
): void {
  const { left } = whole;
  const { kind } = whole.operatorToken;
  if (kind === ts.SyntaxKind.PercentToken) report(whole, "must divide with quotient, not with %");
  if (kind >= ts.SyntaxKind.LessThanLessThanToken && kind <= ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken)
    report(whole, "must not shift bits");
  if ([ts.SyntaxKind.BarToken, ts.SyntaxKind.AmpersandToken, ts.SyntaxKind.CaretToken].includes(kind))
    report(whole, "must not work on bits");
  if ([ts.SyntaxKind.QuestionQuestionToken, ts.SyntaxKind.AsteriskAsteriskToken].includes(kind))
    report(whole, "must not use this operator");
  const assigns = kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
  if (assigns && parameters.has(left.getText())) report(whole, "must not assign to a parameter");
}

function checkCall({ expression }: ts.CallExpression, report: (node: ts.Node, what: string) => void): void {
  const name = expression.getText();
  const known = name.startsWith("Math.") ? functions.has(name.slice(5)) : /^(\w*Kernel|quotient)$/.test(name);
  if (!known) report(expression, "must call only kernels and what every backend has of Math");
}

function checkProperty(node: ts.PropertyAccessExpression, report: (node: ts.Node, what: string) => void): void {
  const text = node.getText();
  const allowed = /^(this\.(thread|constants)|this\.thread\.x|this\.constants\.\w+|Math\.\w+)$/.test(text);
  if (!allowed) report(node, "must read nothing but this.thread.x, this.constants and its arguments");
}

/** `for (let k = 0; k < bound; k++)`; reductions may begin at another whole number. */
function isCountingLoop({ initializer, condition, incrementor }: ts.ForStatement): boolean {
  const loop = `${initializer?.getText()}; ${condition?.getText()}; ${incrementor?.getText()}`;
  return /^let (\w+) = \d+; \1 < (this\.constants\.\w+|\d+|\w+); \1\+\+$/.test(loop);
}

/** Whether the identifier stands for a value, and is not the name of a member, a type or a call. */
function isVariable(node: ts.Identifier): boolean {
  const { parent } = node;
  if (node.text === "Math" || node.text === "undefined" || node.text === "NaN" || node.text === "Infinity")
    return false;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  return !(ts.isCallExpression(parent) && parent.expression === node);
}

function firstLine(text: string): string {
  return text.split("\n")[0];
}
