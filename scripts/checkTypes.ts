/**
 * @file Type-checks programs as an editor of a user does: strictly, all of them in one program of the compiler, which reads the packages
 * once. Each is a module beside the sources of `gridgrad`, from where all packages are found.
 */

import { join } from "node:path";
import ts from "typescript";

import { root } from "./findPackages.ts";
import type { Program } from "./saidLines.ts";

/** `file:line: what is wrong` for each error, in the order of the programs. */
export function checkTypes(programs: readonly Program[]): string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const folder = join(root, "packages", "gridgrad");
  const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, types: ["node"] }, folder);
  const codes = new Map(programs.map(({ code }, i) => [pathOf(folder, i), code]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => codes.has(path) || fileExists.call(host, path);
  host.readFile = (path) => codes.get(path) ?? readFile.call(host, path);
  host.getSourceFile = (path, ...rest) => {
    const code = codes.get(path);
    // As a module, also where it imports nothing.
    return code === undefined
      ? getSourceFile.call(host, path, ...rest)
      : ts.createSourceFile(
          path,
          `${code}\nexport {};`,
          { languageVersion: ts.ScriptTarget.ES2023, impliedNodeFormat: ts.ModuleKind.ESNext },
          true,
        );
  };
  const compiler = ts.createProgram([...codes.keys()], options, host);
  return programs.flatMap(({ file, line }, i) => {
    const source = compiler.getSourceFile(pathOf(folder, i))!;
    return [...compiler.getSyntacticDiagnostics(source), ...compiler.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) =>
        `${file}:${line + source.getLineAndCharacterOfPosition(start).line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
  });
}

function pathOf(folder: string, i: number): string {
  return join(folder, `program${i}.ts`).replaceAll("\\", "/");
}
