/**
 * @file The doors of the packages: exported functions, and constructors and methods of exported classes, that take an object of options,
 * and functions that take tensors. They are read from the sources, so that a new one is found without being named anywhere.
 */

import { basename } from "node:path";

import ts from "typescript";

import { filesBelow, importPackage, readText } from "./findPackages.ts";

/** The doors of a package by their names, such as `conv2d`, `Conv2d` or `Random.normal`, in alphabetical order. */
export function findDoors(specifier: string, folder: string): Promise<string[]> {
  return findExported(specifier, folder, doorsOf);
}

/** The exported functions of a package that take a tensor, in alphabetical order. */
export function findTensorFunctions(specifier: string, folder: string): Promise<string[]> {
  return findExported(specifier, folder, tensorFunctionsOf);
}

async function findExported(
  specifier: string,
  folder: string,
  namesOf: (source: string) => string[],
): Promise<string[]> {
  const exported = new Set(Object.keys(await importPackage(specifier)));
  const sources = filesBelow(folder).filter((path) => path.endsWith(".ts") && !basename(path).includes(".test."));
  const names = sources.flatMap((path) => namesOf(readText(path)));
  return [...new Set(names)].filter((name) => exported.has(name.split(".")[0])).sort();
}

/** The doors in the text of a source file. */
export function doorsOf(source: string): string[] {
  return exportedOf(source).flatMap((statement) => {
    if (ts.isFunctionDeclaration(statement)) return takesOptions(statement) ? [statement.name!.text] : [];
    if (!ts.isClassDeclaration(statement)) return [];
    const name = statement.name!.text;
    return statement.members.flatMap((member) => {
      if (ts.isConstructorDeclaration(member)) return takesOptions(member) ? [name] : [];
      const isDoor = ts.isMethodDeclaration(member) && !isHidden(member) && takesOptions(member);
      return isDoor && ts.isIdentifier(member.name) ? [`${name}.${member.name.text}`] : [];
    });
  });
}

/** The functions that take a tensor, in the text of a source file. */
export function tensorFunctionsOf(source: string): string[] {
  return exportedOf(source).flatMap((statement) => {
    if (!ts.isFunctionDeclaration(statement)) return [];
    return statement.parameters.some(({ type }) => type && mentionsTensor(type)) ? [statement.name!.text] : [];
  });
}

function mentionsTensor(type: ts.TypeNode): boolean {
  if (ts.isTypeReferenceNode(type)) return ts.isIdentifier(type.typeName) && type.typeName.text === "Tensor";
  if (ts.isUnionTypeNode(type)) return type.types.some(mentionsTensor);
  if (ts.isArrayTypeNode(type)) return mentionsTensor(type.elementType);
  return ts.isTypeOperatorNode(type) && mentionsTensor(type.type); // readonly Tensor[]
}

function exportedOf(source: string): ts.Statement[] {
  return ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest).statements.filter(isExported);
}

/** Options are what is called so, or has a type that is, or whose fields are described where the parameters stand. */
function takesOptions({ parameters }: ts.SignatureDeclaration): boolean {
  return parameters.some(({ name, type }) => {
    if (ts.isIdentifier(name) && name.text === "options") return true;
    if (ts.isObjectBindingPattern(name) && type && !ts.isTypeReferenceNode(type)) return true;
    return (
      type !== undefined &&
      ts.isTypeReferenceNode(type) &&
      ts.isIdentifier(type.typeName) &&
      type.typeName.text.endsWith("Options")
    );
  });
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement) && hasModifier(statement, [ts.SyntaxKind.ExportKeyword]);
}

function isHidden(member: ts.MethodDeclaration): boolean {
  return hasModifier(member, [ts.SyntaxKind.ProtectedKeyword, ts.SyntaxKind.PrivateKeyword]);
}

function hasModifier(node: ts.HasModifiers, kinds: readonly ts.SyntaxKind[]): boolean {
  return (ts.getModifiers(node) ?? []).some(({ kind }) => kinds.includes(kind));
}
