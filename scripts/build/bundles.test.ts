import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build as bundle } from "esbuild";
import { chromium } from "playwright";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { deviceLimit } from "../../packages/core/src/testing/tolerance.ts";
import { hasTier } from "../../packages/core/src/testing/tier.ts";
import type { PageResult } from "../../packages/ops/src/testing/page/page.ts";
import { quickBuild } from "./quickBuild.mjs";

const found = inject("chromium");
const page = fileURLToPath(new URL("../../packages/ops/src/testing/page/", import.meta.url));

let folder: string;

// A project of a user: the page that runs every kernel, and the packages as they are installed. No plugin of gridgrad.
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "bundles-")));
  for (const file of ["page.ts", "index.html"]) copyFileSync(join(page, file), join(folder, file));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  await quickBuild(folder);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the bundled page on gpu:webasm in Node, with as much of a document as it and vite's preloading ask for. */
function runInNode(file: string): Record<string, PageResult> {
  const program = `
    const pre = {};
    const link = { relList: { supports: () => true } };
    globalThis.document = { title: "", querySelector: () => pre, createElement: () => link };
    globalThis.location = { search: "?backends=webasm" };
    await import(${JSON.stringify(join(folder, file))});
    console.log(pre.textContent);
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Record<string, PageResult>;
}

function expectRight({ error, thrown, notRun, onLoops }: PageResult): void {
  expect({ thrown, notRun, onLoops }).toEqual({ thrown: {}, notRun: [], onLoops: {} });
  expect(error).toBeLessThan(deviceLimit(1));
}

describe("without a plugin, all kernels compute what the loops compute", () => {
  test("in a bundle that esbuild has minified", async () => {
    await bundle({
      entryPoints: [join(folder, "page.ts")],
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      splitting: true,
      outdir: join(folder, "ofEsbuild"),
      logLevel: "error",
    });
    expectRight(runInNode("ofEsbuild/page.js").webasm);
  });

  test.runIf(hasTier("ci"))("in a bundle that vite has minified", async () => {
    const { build } = await loadVite();
    const output = { entryFileNames: "page.js" };
    await build({
      configFile: false,
      root: folder,
      logLevel: "silent",
      build: { outDir: "ofVite", target: "esnext", modulePreload: false, rolldownOptions: { output } },
    });
    expectRight(runInNode("ofVite/page.js").webasm);
  });

  test.skipIf(found.missing)("on vite's server for development, which bundles dependencies by itself", async () => {
    const { createServer } = await loadVite();
    const server = await createServer({
      configFile: false,
      root: folder,
      logLevel: "silent",
      server: { port: 0, host: "127.0.0.1" },
      optimizeDeps: { include: ["@gridgrad/core", "@gridgrad/ops"] },
    });
    if (found.missing !== null) throw new Error(`internal: a test without its browser: ${found.missing}`);
    const browser = await chromium.launch({ executablePath: found.path, args: [...found.args] });
    try {
      await server.listen();
      const tab = await browser.newPage();
      await tab.goto(`${server.resolvedUrls!.local[0]}?backends=webasm`);
      await tab.waitForFunction('document.title === "done"', null, { timeout: 0 });
      expectRight((JSON.parse((await tab.textContent("pre"))!) as Record<string, PageResult>).webasm);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});

test("in Node the built packages have the cpu device at once, as eager mode needs it", () => {
  const program = `
    import { isRealized, tensor } from "@gridgrad/core";
    import { CpuDevice } from "@gridgrad/ops";
    import * as nn from "@gridgrad/nn";
    console.log(isRealized(tensor([1, 2]).mul(3)), new CpuDevice({ threads: 1 }).footprint.peakBytes, typeof nn.Module);
  `;
  writeFileSync(join(folder, "program.js"), program);
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, "program.js")], {
    encoding: "utf8",
    env: { ...process.env, GRIDGRAD_EAGER: "1" },
  });
  expect([stdout, stderr]).toEqual(["true 0 function\n", ""]);
});

/** What is used of vite. */
interface Vite {
  build(config: object): Promise<unknown>;
  createServer(config: object): Promise<{
    listen(): Promise<unknown>;
    close(): Promise<void>;
    readonly resolvedUrls: { readonly local: readonly string[] } | null;
  }>;
}

/** vite, which ops depends on and this folder does not. */
async function loadVite(): Promise<Vite> {
  const { resolve } = createRequire(new URL("../../packages/ops/package.json", import.meta.url));
  return (await import(/* @vite-ignore */ resolve("vite"))) as Vite;
}
