import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { deviceLimit } from "@gridgrad/core/testing/tolerance";
import { chromium } from "playwright";
import { build, parseAst, preview } from "vite";
import { describe, expect, inject, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";

import { inlineKernels } from "./inlineKernels.ts";
import type { PageResult } from "./testing/page/page.ts";

const found = inject("chromium");

function transform(code: string): string | null {
  return inlineKernels().transform.call({ parse: parseAst }, code, "module.js")?.code ?? null;
}

async function inFolder<T>(body: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "inlineKernels-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Builds the page, opens it in Chromium, and reads what it found on each backend. */
function openPage(
  backends: string,
  { minify, plugin }: { minify?: "esbuild"; plugin: boolean },
): Promise<Record<string, PageResult>> {
  if (found.missing !== null) throw new Error(`internal: a test without its browser: ${found.missing}`);
  const { path, args } = found;
  return inFolder(async (outDir) => {
    const config = {
      configFile: false,
      root: fileURLToPath(new URL("testing/page/", import.meta.url)),
      plugins: plugin ? [inlineKernels()] : [],
      logLevel: "silent",
      build: { outDir, minify: minify ?? true, target: "esnext" },
    } as const;
    await build(config);
    const server = await preview({ ...config, preview: { port: 0 } });
    const browser = await chromium.launch({ executablePath: path, args: [...args] });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.resolvedUrls!.local[0]}?backends=${backends}`);
      await page.waitForFunction('document.title === "done"', null, { timeout: 0 });
      return JSON.parse((await page.textContent("pre"))!) as Record<string, PageResult>;
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

describe("inlineKernels", () => {
  test("gives each kernel its text, exported or not, and keeps what was there", () => {
    const code = [
      "export function aKernel(x) {",
      "  return bKernel(x[this.thread.x]) + 1; // one more",
      "}",
      'function bKernel(a) { return a * 2; } const text = "`";',
    ].join("\n");
    expect(transform(code)).toMatchInlineSnapshot(`
      "export function aKernel(x) {
        return bKernel(x[this.thread.x]) + 1; // one more
      }
      function bKernel(a) { return a * 2; } const text = "\`";
      aKernel.kernelSource = "function aKernel(x) {\\n  return bKernel(x[this.thread.x]) + 1; // one more\\n}";
      bKernel.kernelSource = "function bKernel(a) { return a * 2; }";
      "
    `);
  });

  test("leaves other functions alone: by name, inside of others, and not declared", () => {
    expect(transform("function sumKernels() {}")).toBeNull();
    expect(transform("function outer() { function innerKernel() {} }")).toBeNull();
    expect(transform("const sumKernel = function sumKernel() {};")).toBeNull();
    expect(transform("// function sumKernel")).toBeNull();
    expect(transform('export function sumKernel() { return ["sumKernel", loadKernelTexts]; }')).toBeNull();
  });
});

describe.skipIf(found.missing)(
  `a bundled page in Chromium${found.missing ? ` (skipped: ${found.missing})` : ""}`,
  () => {
    function expectRight(results: Record<string, PageResult>, backends: readonly string[]): void {
      expect(Object.keys(results)).toEqual(backends);
      for (const backend of backends) {
        const { error, thrown, notRun, onLoops } = results[backend];
        expect({ thrown, notRun, onLoops }).toEqual({ thrown: {}, notRun: [], onLoops: {} });
        expect(error).toBeLessThan(deviceLimit(1));
      }
    }

    test("computes on every backend what the loops compute, with every op that has kernels", async () => {
      // Their compilers take most of the time; the shaders of webgl are those of gpu:headlessgl.
      const backends = ["webgl2", ...(hasTier("all") ? ["webgl"] : []), "webgpu", "webasm", "cpu"];
      expectRight(await openPage(backends.join(), { plugin: true }), backends);
    });

    test("does so after another minifier", async () => {
      const results = await openPage("webgpu,webasm", { plugin: true, minify: "esbuild" });
      expectRight(results, ["webgpu", "webasm"]);
    });

    test("names the plugin where it was left out", async () => {
      const { cpu } = await openPage("cpu", { plugin: false });
      expect(cpu.thrown["sum"].replace(/got .*;/s, "got ..;")).toMatchInlineSnapshot(
        `"Error: kernel: a kernel must be a function declaration named ..Kernel and reach gpu.js as it was written, got ..; bundle with the plugin inlineKernels() of @gridgrad/ops/inlineKernels"`,
      );
    });
  },
);

test.runIf(hasTier("ci"))("V8's coverage, which counts and does not rewrite, leaves kernels working", () =>
  inFolder((folder) => {
    const script = `
      import { openDevice, tensor, withDevice } from "@gridgrad/core";
      import { pixelShuffle } from "${new URL("index.ts", import.meta.url).href}";
      const device = openDevice("gpu:webasm");
      const y = await withDevice(device, () => pixelShuffle(tensor([1, 2, 3, 4], [1, 4, 1, 1]), 2).exp().sum().item());
      console.log(y, device.onLoops.size);
    `;
    const typescript = new URL("../../../scripts/typescript.mjs", import.meta.url).href;
    const printed = execFileSync(process.execPath, ["--import", typescript, "--input-type=module", "--eval", script], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...process.env, NODE_V8_COVERAGE: folder },
      encoding: "utf8",
    });
    const [y, onLoops] = printed.split(" ").map(Number);
    expect(y).toBeCloseTo(Math.E + Math.E ** 2 + Math.E ** 3 + Math.E ** 4, 4);
    expect(onLoops).toBe(0);
    expect(readdirSync(folder).length).toBeGreaterThan(0); // it did count
  }),
);
