/**
 * @file goldenFiles.ts for tests in a browser, in whose place vitest.config.ts puts it there: vite lists the files and serves them.
 */

const folder = "/goldens/";
const paths = Object.keys((import.meta as ViteMeta).glob("/goldens/**/*.safetensors"));

/** See goldenFiles.ts. */
export function goldenFiles(pattern: string): { name: string; bytes: Uint8Array }[] {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  const matcher = new RegExp(`^${folder}${escaped.replaceAll("*", "[^/]*")}\\.safetensors$`);
  const files = paths.filter((path) => matcher.test(path)).sort();
  if (files.length === 0) throw new Error(`goldenFiles: ${pattern} must match a file in ${folder}, got none`);
  return files.map((path) => ({ name: path.slice(folder.length).replace(".safetensors", ""), bytes: readNow(path) }));
}

/** Tests are declared from what the files hold, and at once: a request that waits. */
function readNow(path: string): Uint8Array {
  const request = new XMLHttpRequest();
  request.open("GET", path, false);
  request.overrideMimeType("text/plain; charset=x-user-defined"); // of each character, the low eight bits are the byte
  request.send();
  if (request.status !== 200) throw new Error(`goldenFiles: ${path}: the server answers ${request.status}`);
  return Uint8Array.from(request.responseText, (character) => character.charCodeAt(0) & 255);
}

interface ViteMeta extends ImportMeta {
  /** Written out by vite: an object whose keys are the files. */
  glob(pattern: string): Readonly<Record<string, unknown>>;
}

/** The part of the browser's that is used: this file is type-checked with Node's globals. */
declare const XMLHttpRequest: new () => {
  readonly status: number;
  readonly responseText: string;
  open(method: string, url: string, isAsync: boolean): void;
  overrideMimeType(type: string): void;
  send(): void;
};
