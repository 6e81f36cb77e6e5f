/** @file Packages that only those install who want what they are for. */

interface NodeProcess {
  cwd(): string;
  getBuiltinModule?(name: "node:module"): { createRequire(from: string): (name: string) => unknown };
}

/**
 * Loads a package from where the program is, and in Node else from a folder: a program that npx has fetched, or that a package manager
 * keeps apart, does not see what its user has installed.
 *
 * @param load - imports it, from where the program is.
 * @param folder - where to look for it then. Default: that of the process.
 * @returns `null` where it is in neither place. A package that is there and does not load throws its own error.
 */
export async function importOptional<T>(name: string, load: () => Promise<T>, folder?: string): Promise<T | null> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
  }
  const { process } = globalThis as { process?: NodeProcess };
  if (!process?.getBuiltinModule) return null;
  try {
    const { createRequire } = process.getBuiltinModule("node:module");
    return createRequire(`${folder ?? process.cwd()}/.`)(name) as T;
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    return null;
  }
}

/** Whether it is this package that is not there, and not one that it needs itself. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: string; message: string };
  return ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(code ?? "") && message.includes(`'${name}'`);
}
