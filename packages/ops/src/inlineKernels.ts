/**
 * @file A plugin for bundlers (Rollup, Rolldown, Vite) that keeps GPU kernels as they were written.
 *
 * gpu.js translates the text of a kernel, which a minifier changes: it shortens names, joins declarations and turns `if` into `?:`,
 * which in WGSL and GLSL means something else, or nothing. So each kernel gets a copy of its text, which a minifier leaves alone:
 *
 *     function sumKernel(x) { .. }
 *     sumKernel.kernelSource = "function sumKernel(x) { .. }";
 *
 * In vite.config.ts: `plugins: [inlineKernels()]`. It runs after the bundler's own step that strips types. Not needed where functions
 * reach the JavaScript engine as they are: in Node, in vite's server for development, or in a bundle that is not minified; nor for the kernels of
 * gridgrad's own packages, whose texts were taken out when they were built (scripts/build/bakeKernels.mjs).
 */

/** What it needs of a bundler. */
interface Bundler {
  parse(code: string): { readonly body: readonly object[] };
}

interface Statement {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly id?: { readonly name: string } | null;
  /** Of an export. */
  readonly declaration?: Statement | null;
  /** Of a function. */
  readonly body?: { readonly body: readonly { readonly argument?: { readonly type: string } | null }[] };
}

/** Names of kernels and of functions that kernels call. */
const kernelName = /^(\w*Kernel|quotient)$/;

/**
 * The plugin. It looks at function declarations at the top of a module whose names end in Kernel, in your own modules too, and leaves
 * modules without any as they are.
 *
 * @example
 * ```ts
 * inlineKernels().name; // gridgrad:inlineKernels
 * ```
 */
export function inlineKernels(): {
  readonly name: string;
  transform(this: Bundler, code: string, id: string): { code: string; map: null } | null;
} {
  return {
    name: "gridgrad:inlineKernels",
    transform(code) {
      if (!/function\s+(\w*Kernel|quotient)\b/.test(code)) return null; // most modules need not be parsed
      let copies = "";
      for (const statement of this.parse(code).body as readonly Statement[]) {
        const { type, id, start, end, body } = statement.declaration ?? statement;
        if (type !== "FunctionDeclaration" || !id || !kernelName.test(id.name)) continue;
        if (body?.body[0]?.argument?.type === "ArrayExpression") continue; // taken out by the build: it returns where its text is
        copies += `\n${id.name}.kernelSource = ${JSON.stringify(code.slice(start, end))};`;
      }
      // What is there stays where it is, and so does its source map.
      return copies === "" ? null : { code: `${code}${copies}\n`, map: null };
    },
  };
}
