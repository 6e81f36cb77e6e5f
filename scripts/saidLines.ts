/**
 * @file What a program says that it prints: the comment behind each `console.log`, or the comment lines right below it.
 *
 *     console.log(await x.item()); // 12.5
 *     for (const word of words) console.log(word);
 *     // one
 *     // two
 *     await fails().catch((error) => console.log(error.message));
 *     // what is wrong
 */

import ts from "typescript";

/** A program of a page or of examples/. */
export interface Program {
  /** Path of the file it stands in, relative to the root of the repository. */
  readonly file: string;
  /** Line of `file` on which `code` starts, counted from 1. */
  readonly line: number;
  readonly code: string;
}

/**
 * The lines that `program` says it prints, in their order.
 *
 * @throws {Error} that gives file and line of a value that nobody prints, or of a program that says nothing.
 */
export function saidLines({ file, line, code }: Program): string[] {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.ES2023, true);
  const said: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) {
      if (isConsoleLog(node.expression) || hasPrintingArrow(node.expression)) said.push(...commentOf(code, node));
      else if (isBareValue(node.expression) || (isRead(node.expression) && hasComment(code, node))) {
        const at = line + source.getLineAndCharacterOfPosition(node.getStart()).line;
        throw new Error(`${file}:${at}: a value must be printed, with console.log: a reader who runs it sees nothing`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (said.length === 0) {
    throw new Error(`${file}:${line}: a program must print something and say so: console.log(value); // value`);
  }
  return said;
}

function isConsoleLog(node: ts.Expression): boolean {
  return ts.isCallExpression(node) && node.expression.getText() === "console.log";
}

/** Whether a function within it, without a block of its own, prints. */
function hasPrintingArrow(node: ts.Node): boolean {
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) return isConsoleLog(node.body);
  return ts.forEachChild(node, (child) => hasPrintingArrow(child) || undefined) ?? false;
}

/** Whether running the expression does nothing that could be seen. */
function isBareValue(node: ts.Expression): boolean {
  if (ts.isAwaitExpression(node)) return isBareValue(node.expression);
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    return kind < ts.SyntaxKind.FirstAssignment || kind > ts.SyntaxKind.LastAssignment;
  }
  const acts = [
    ts.isCallExpression,
    ts.isNewExpression,
    ts.isPrefixUnaryExpression,
    ts.isPostfixUnaryExpression,
    ts.isDeleteExpression,
  ];
  return !acts.some((is) => is(node));
}

/** `await x.data()`, which may stand alone to compute `x`; a comment behind it would be its value. */
function isRead(node: ts.Expression): boolean {
  return ts.isAwaitExpression(node) && /\.(data|item|array)\(\)$/.test(node.getText());
}

function hasComment(code: string, statement: ts.Statement): boolean {
  return ts.getTrailingCommentRanges(code, statement.end) !== undefined;
}

function commentOf(code: string, statement: ts.ExpressionStatement): string[] {
  const [comment] = ts.getTrailingCommentRanges(code, statement.end) ?? [];
  if (comment) return [withoutSlashes(code.slice(comment.pos, comment.end))];
  const [, ...below] = code.slice(statement.end).split("\n");
  const end = below.findIndex((text) => !text.trimStart().startsWith("//"));
  return (end < 0 ? below : below.slice(0, end)).map((text) => withoutSlashes(text.trimStart()));
}

function withoutSlashes(comment: string): string {
  return comment.replace(/^\/\/ ?/, "").trimEnd();
}
