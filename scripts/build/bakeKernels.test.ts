import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { transformSync } from "esbuild";
import { expect, test } from "vitest";

import { kernelName, type KernelFunction, kernelSource, loadKernels } from "../../packages/core/src/index.ts";
import { filesBelow, findPackages, readText } from "../findPackages.ts";
import { bakeFolder, bakeKernels, calledByHost, compact, parse } from "./bakeKernels.mjs";

/** Split, so that who runs this test does not look for the map. */
const mapComment = ["//#", "sourceMappingURL=add.js.map"].join(" ");

const add = `import { other } from "../other.js";
export const addOp = { gpu: addKernel };
export function addKernel(a, b) {
    return a + b; // one after the other
}
function partKernel(x) {
    const i = this.thread.x;
    /* from the back */
    return x[this.constants.n - i] - -1;
}
${mapComment}
`;

const erf = `export const erf = (x) => partKernel(x) + 1;
export function partKernel(x) {
    return x * 2;
}
export function quotient(i, n) {
    return Math.floor(i / n);
}
`;

const plain = 'export const text = "function aKernel() {}";\n';

function bake(modules: Record<string, string>): { modules: Map<string, string>; names: string[] } {
  return bakeKernels(new Map(Object.entries(modules)));
}

test("kernels leave their modules, each line stays where it was, and what the host calls keeps its body", () => {
  const { modules, names } = bake({ "ops/add.js": add, "erf.js": erf, "plain.js": plain });
  expect(names).toEqual(["addKernel", "partKernel", "partKernel", "quotient"]);
  expect(modules.get("plain.js")).toBe(plain);
  expect(modules.get("erf.js")!.split("\n").length).toBe(erf.split("\n").length);
  expect(modules.get("ops/add.js")!.replace(mapComment, "// end")).toMatchInlineSnapshot(`
    "import { other } from "../other.js";
    export const addOp = { gpu: addKernel };
    export function addKernel() { return ["addKernel", loadKernelTexts]; } import { loadKernelTexts } from "../loadKernelTexts.js";


    function partKernel(x) {
        const i = this.thread.x;
        /* from the back */
        return x[this.constants.n - i] - -1;
    } partKernel.kernelSource = ["partKernel", loadKernelTexts];
    // end
    "
  `);
  expect(modules.get("erf.js")).toMatchInlineSnapshot(`
    "export const erf = (x) => partKernel(x) + 1;
    export function partKernel(x) {
        return x * 2;
    } partKernel.kernelSource = ["partKernel", loadKernelTexts, "partKernel2"]; import { loadKernelTexts } from "./loadKernelTexts.js";
    export function quotient(i, n) {
        return Math.floor(i / n);
    } quotient.kernelSource = ["quotient", loadKernelTexts];
    "
  `);
  expect(modules.get("kernelTexts.js")).toMatchInlineSnapshot(`
    "/** The kernels of this package, as gpu.js takes them. */
    export const kernelTexts = {
      addKernel: "function addKernel(a,b){return a+b;}",
      partKernel: "function partKernel(x){const i=this.thread.x;return x[this.constants.n-i]- -1;}",
      partKernel2: "function partKernel(x){return x*2;}",
      quotient: "function quotient(i,n){return Math.floor(i/n);}",
    };
    "
  `);
});

test("a kernel that the host does not call loses its body in every module, and one of that name keeps it", () => {
  const { modules } = bake({ "ops/add.js": add, "plain.js": plain });
  expect(modules.get("ops/add.js")).not.toContain("this.thread");
  expect(bake({ "plain.js": plain })).toEqual({ modules: new Map([["plain.js", plain]]), names: [] });
});

test("a kernel that its module names once, where it is loaded, stands at that place", () => {
  const modules = {
    "ops/pow.js": `export const powOp = { gpu: elementwise(powKernel, { functions: [wholeKernel, otherKernel] }) };
function powKernel(x) {
    return wholeKernel(x);
}
function wholeKernel(x) {
    return x;
}
`,
    "ops/log.js": `export const logOp = { gpu: () => step(logKernel) };
const twice = [elementwise(twiceKernel), elementwise(twiceKernel)];
export const scale = elementwise(scaleKernel);
function logKernel(x) {
    return x;
}
function twiceKernel(x) {
    return x;
}
export function scaleKernel(x) {
    return x;
}
`,
  };
  const baked = bake(modules).modules;
  expect(baked.get("ops/pow.js")).toMatchInlineSnapshot(`
    "export const powOp = { gpu: elementwise(() => ["powKernel", loadKernelTexts], { functions: [() => ["wholeKernel", loadKernelTexts], otherKernel] }) };
     import { loadKernelTexts } from "../loadKernelTexts.js";





    "
  `);
  // Not in a function, which would make another one with each call; not what is named twice; not what other modules may name.
  expect(baked.get("ops/log.js")).toMatchInlineSnapshot(`
    "export const logOp = { gpu: () => step(logKernel) };
    const twice = [elementwise(twiceKernel), elementwise(twiceKernel)];
    export const scale = elementwise(scaleKernel);
    function logKernel() { return ["logKernel", loadKernelTexts]; } import { loadKernelTexts } from "../loadKernelTexts.js";


    function twiceKernel() { return ["twiceKernel", loadKernelTexts]; }


    export function scaleKernel() { return ["scaleKernel", loadKernelTexts]; }


    "
  `);
});

test("a kernel is the same program without its blanks", () => {
  expect(compact("function aKernel(x) {\n  // half\n  return .5 + +x[0] - -x[1];\n}")).toBe(
    "function aKernel(x){return .5+ +x[0]- -x[1];}",
  );
  expect(() => compact("function aKernel() {\n  const a = 1\n  return a;\n}")).toThrowErrorMatchingInlineSnapshot(`
    [Error: bakeKernels: a kernel must stay the same program without its blanks, got function aKernel() {
      const a = 1
      return a;
    }]
  `);
});

test("the core finds names at once, and texts once they are loaded", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bakeKernels-"));
  try {
    mkdirSync(join(folder, "ops"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "other.js"), "export const other = 1;\n");
    const exported = add.replace("function partKernel", "export function partKernel").replace(mapComment, "// end");
    writeFileSync(join(folder, "ops", "add.js"), exported);
    writeFileSync(join(folder, "erf.js"), erf);
    expect(bakeFolder(folder)).toHaveLength(4);
    const load = (file: string): Promise<Record<string, KernelFunction & ((x: number) => number)>> =>
      import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href);
    const { addKernel, partKernel } = await load("ops/add.js");
    const { erf: hostErf, partKernel: erfPart } = await load("erf.js");
    expect(hostErf(2)).toBe(5);
    expect(kernelName(addKernel)).toBe("addKernel");
    expect(() => kernelSource(addKernel)).toThrowErrorMatchingInlineSnapshot(
      `[Error: internal: kernel: loadKernels must have loaded the text of addKernel]`,
    );
    const step = { inputs: [], size: 1 };
    const plan = [
      { ...step, kernel: addKernel, functions: [erfPart] },
      { ...step, kernel: partKernel },
    ];
    await loadKernels(plan);
    expect(loadKernels(plan)).toBeNull();
    expect(kernelSource(addKernel)).toBe("function addKernel(a,b){return a+b;}");
    expect(kernelSource(erfPart)).toBe("function partKernel(x){return x*2;}");
    expect(kernelSource(partKernel)).toBe(
      "function partKernel(x){const i=this.thread.x;return x[this.constants.n-i]- -1;}",
    );
    expect(readFileSync(join(folder, "ops", "add.js"), "utf8")).toContain("// end");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a kernel without arguments that no build has touched is its own text", () => {
  expect(kernelSource(onesKernel)).toMatch(/^function onesKernel\(/);
  expect(kernelSource(countKernel as KernelFunction)).toMatch(/^function countKernel\(/);
});

function onesKernel(): number {
  return 1;
}

function countKernel(this: { readonly thread: { readonly x: number } }): number {
  return this.thread.x;
}

/** Kernels of other packages, which may be without a body, that a module calls on the host. */
function borrowed(path: string, source: string): string[] {
  const imports = [...source.matchAll(/import {([^}]*)} from "@gridgrad\//g)];
  const kernels = imports.flatMap(([, names]) => names.split(/\W+/)).filter((name) => name.endsWith("Kernel"));
  if (kernels.length === 0) return [];
  return calledByHost(parse(path, transformSync(source, { loader: "ts" }).code)).filter((name) =>
    kernels.includes(name),
  );
}

test("the host calls no kernel of another package", () => {
  const sources = findPackages()
    .flatMap(({ folder }) => filesBelow(`${folder}/src`))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
  expect(sources.length).toBeGreaterThan(200);
  expect(sources.flatMap((path) => borrowed(path, readText(path)).map((name) => `${path}: ${name}`))).toEqual([]);
  const wrong =
    'import { sigmoidKernel } from "@gridgrad/core"; export const f = (x: number): number => sigmoidKernel(x);';
  expect(borrowed("wrong.ts", wrong)).toEqual(["sigmoidKernel"]);
});
