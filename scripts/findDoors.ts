/**
 * @file The doors of the packages: exported functions, and constructors and methods of exported classes, that take an object of options.
 * They are read from the sources, so that a new one is found without being named anywhere.
 */

import { basename } from "node:path";

import ts from "typescript";

import { filesBelow, importPackage, readText } from "./findPackages.ts";

/** The doors of a package by their names, such as `conv2d`, `Conv2d` or `Random.normal`, in alphabetical order. */
export async function findDoors(specifier: string, folder: string): Promise<string[]> {
  const exported = new Set(Object.keys(await importPackage(specifier)));
  const sources = filesBelow(folder).filter((path) => path.endsWith(".ts") && !basename(path).includes(".test."));
  const doors = sources.flatMap((path) => doorsOf(readText(path)));
  return [...new Set(doors)].filter((door) => exported.has(door.split(".")[0])).sort();
}

/** The doors in the text of a source file. */
export function doorsOf(source: string): string[] {
  const doors: string[] = [];
  for (const statement of ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest).statements) {
    if (!isExported(statement)) continue;
    if (ts.isFunctionDeclaration(statement) && takesOptions(statement)) doors.push(statement.name!.text);
    if (!ts.isClassDeclaration(statement)) continue;
    for (const member of statement.members) {
      const name = statement.name!.text;
      if (ts.isConstructorDeclaration(member) && takesOptions(member)) doors.push(name);
      if (ts.isMethodDeclaration(member) && ts.isIdentifier(member.name) && !isHidden(member) && takesOptions(member))
        doors.push(`${name}.${member.name.text}`);
    }
  }
  return doors;
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
