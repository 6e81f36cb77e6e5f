/**
 * @file A step of the build: takes the texts of GPU kernels out of a package's modules, into one more module that only a device which
 * runs kernels loads.
 *
 * gpu.js translates the text of a kernel, which bundlers and minifiers change. Here it becomes a string, which they leave alone, so users need
 * no plugin for the kernels of a package:
 *
 *     export function addKernel(a, b) {      ->  export function addKernel() { return ["addKernel", loadKernelTexts]; }
 *       return a + b; // one after the other
 *     }                                         and in kernelTexts.js: addKernel: "function addKernel(a,b){return a+b;}",
 *
 * A kernel that its module names once, where it is loaded, stands there: `elementwise(() => ["addKernel", loadKernelTexts])`.
 * A function that the host calls too keeps its body and carries the same as a property. Every line stays where it was, so source maps stay
 * right, and lead readers to the sources.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix, sep } from "node:path";

import ts from "typescript";

/** Names of kernels and of functions that kernels call, as for the plugin inlineKernels. */
const kernelName = /^(\w*Kernel|quotient)$/;

/** The module with the texts, and the one that loads it. */
const textsModule = "kernelTexts.js";
const loaderModule = "loadKernelTexts.js";

/**
 * Bakes the kernels of a built package, in place.
 *
 * @param {string} folder - its `dist`.
 * @returns {string[]} the names of its kernels.
 */
export function bakeFolder(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"));
  const before = new Map(files.map((file) => [file.split(sep).join("/"), readFileSync(join(folder, file), "utf8")]));
  const { modules, names } = bakeKernels(before);
  for (const [file, code] of modules) if (code !== before.get(file)) writeFileSync(join(folder, file), code);
  return names;
}

/**
 * The modules of one package with baked kernels, and two more: their texts, and what loads those. Without kernels, what they were.
 *
 * @param {ReadonlyMap<string, string>} modules - JavaScript by its path from the package's `dist`, such as `ops/add.js`.
 * @returns {{ modules: Map<string, string>, names: string[] }}
 */
export function bakeKernels(modules) {
  const parsed = [...modules].map(([path, code]) => ({ path, code, tree: parse(path, code) }));
  const called = new Set(parsed.flatMap(({ tree }) => calledByHost(tree)));
  /** @type {Map<string, string>} */
  const texts = new Map();
  /** @type {string[]} */
  const names = [];
  const baked = new Map(modules);
  for (const { path, code, tree } of parsed) {
    const kernels = tree.statements.filter(isKernel);
    /** @param {string} name */
    const keepsBody = (name) => called.has(name) || !name.endsWith("Kernel");
    /** @type {{ start: number, end: number, text: string }[]} */
    const edits = [];
    for (const kernel of kernels) {
      const name = /** @type {string} */ (kernel.name?.text);
      const start = code.indexOf("function", kernel.getStart(tree)); // behind `export`
      const text = code.slice(start, kernel.end);
      const key = freeKey(name, texts);
      texts.set(key, compact(text));
      names.push(name);
      const stored = `["${name}", loadKernelTexts${key === name ? "" : `, "${key}"`}]`;
      const load = edits.length === 0 ? ` import { loadKernelTexts } from "${relativeImport(path)}";` : "";
      const blank = "\n".repeat(text.split("\n").length - 1);
      const place = keepsBody(name) ? null : onlyPlace(kernel, tree, keepsBody);
      let rest = `function ${name}() { return ${stored}; }${load}${blank}`;
      if (keepsBody(name)) rest = `${text} ${name}.kernelSource = ${stored};${load}`;
      if (place) {
        edits.push({ start: place.getStart(tree), end: place.end, text: `() => ${stored}` });
        rest = load + blank;
      }
      edits.push({ start, end: kernel.end, text: rest });
    }
    if (kernels.length > 0) baked.set(path, edit(code, edits));
  }
  if (texts.size > 0) {
    const entries = [...texts].map(([key, text]) => `  ${key}: ${JSON.stringify(text)},`);
    const head = "/** The kernels of this package, as gpu.js takes them. */\nexport const kernelTexts = {";
    baked.set(textsModule, [head, ...entries, "};", ""].join("\n"));
    baked.set(loaderModule, `export const loadKernelTexts = () => import("./${textsModule}");\n`);
  }
  return { modules: baked, names };
}

/** @param {string} path @param {string} code */
export function parse(path, code) {
  return ts.createSourceFile(path, code, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
}

/** @param {ts.Node} node @returns {node is ts.FunctionDeclaration} */
function isKernel(node) {
  return ts.isFunctionDeclaration(node) && kernelName.test(node.name?.text ?? "");
}

/** Kernels that are called outside of kernels. @param {ts.SourceFile} tree @returns {string[]} */
export function calledByHost(tree) {
  /** @type {string[]} */
  const names = [];
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (isKernel(node)) return;
    if (ts.isCallExpression(node)) {
      const callee = node.expression.getText(tree).replace(/\.(call|apply)$/, "");
      if (kernelName.test(callee)) names.push(callee);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return names;
}

/**
 * Where a module names a kernel, if it does so once, outside of kernels that lose their bodies, as an argument, and where it is loaded. In a
 * function a kernel would be another one with each call.
 *
 * @param {ts.FunctionDeclaration} kernel
 * @param {ts.SourceFile} tree
 * @param {(name: string) => boolean} keepsBody
 * @returns {ts.Identifier | null}
 */
function onlyPlace(kernel, tree, keepsBody) {
  if (kernel.modifiers) return null; // other modules may name it
  /** @type {{ node: ts.Identifier, inFunction: boolean }[]} */
  const places = [];
  /** @param {ts.Node} node @param {boolean} inFunction */
  const visit = (node, inFunction) => {
    if (isKernel(node) && !keepsBody(node.name?.text ?? "")) return;
    if (ts.isIdentifier(node) && node.text === kernel.name?.text) places.push({ node, inFunction });
    ts.forEachChild(node, (child) => visit(child, inFunction || ts.isFunctionLike(node)));
  };
  visit(tree, false);
  const [{ node, inFunction } = { node: null, inFunction: true }, ...more] = places;
  if (!node || inFunction || more.length > 0) return null;
  const { parent } = node;
  return ts.isCallExpression(parent) || ts.isArrayLiteralExpression(parent) ? node : null;
}

/** The text with some of its parts replaced. @param {string} text @param {readonly { start: number, end: number, text: string }[]} edits */
function edit(text, edits) {
  let result = text;
  for (const { start, end, text: part } of [...edits].sort((a, b) => b.start - a.start))
    result = result.slice(0, start) + part + result.slice(end);
  return result;
}

/** The name, or the name with a number where another kernel of the package has it. @param {string} name @param {Map<string, string>} taken */
function freeKey(name, taken) {
  let key = name;
  for (let k = 2; taken.has(key); k++) key = `${name}${k}`;
  return key;
}

/** How a module names the one that loads the texts. @param {string} path */
function relativeImport(path) {
  const from = posix.relative(posix.dirname(path), loaderModule);
  return from.startsWith(".") ? from : `./${from}`;
}

/**
 * A kernel without comments and blanks that mean nothing.
 *
 * @param {string} text
 * @throws {Error} when that would be another program.
 */
export function compact(text) {
  let short = "";
  for (const token of tokensOf(text)) {
    const last = short.at(-1) ?? "";
    const melt = (/[\w$]/.test(last) && /^([\w$]|\.\d)/.test(token)) || (/[+\-/]/.test(last) && last === token[0]);
    short += melt ? ` ${token}` : token;
  }
  // The same words in the same order, and the same tree of them, wherever lines ended.
  if (String(tokensOf(short)) !== String(tokensOf(text)) || outline(short) !== outline(text)) {
    throw new Error(`bakeKernels: a kernel must stay the same program without its blanks, got ${text}`);
  }
  return short;
}

/** @param {string} code */
function tokensOf(code) {
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, true, ts.LanguageVariant.Standard, code);
  /** @type {string[]} */
  const tokens = [];
  while (scanner.scan() !== ts.SyntaxKind.EndOfFileToken) tokens.push(scanner.getTokenText());
  return tokens;
}

/** The kinds of all parts of a program, nested as they are, and how many mistakes it has. @param {string} code */
function outline(code) {
  const tree = parse("kernel.js", code);
  const { parseDiagnostics } = /** @type {{ parseDiagnostics: object[] }} */ (/** @type {unknown} */ (tree));
  /** @param {ts.Node} node @returns {string} */
  const of = (node) => {
    let children = "";
    ts.forEachChild(node, (child) => void (children += of(child)));
    return `${node.kind}(${children})`;
  };
  return `${of(tree)} ${parseDiagnostics.length}`;
}
