import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright";
import { build, preview } from "vite";
import { describe, expect, inject, test } from "vitest";

import type { CpuPageResult } from "../../testing/cpuPage/page.ts";

const found = inject("chromium");

/** What lets a page share memory between threads. */
const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Builds the page, serves it with the headers, and reads what it computes. */
async function openPage(threads: number, headers: Record<string, string>): Promise<CpuPageResult> {
  if (found.missing !== null) throw new Error(`internal: a test without its browser: ${found.missing}`);
  const outDir = mkdtempSync(join(tmpdir(), "cpuPage-"));
  const root = fileURLToPath(new URL("../../testing/cpuPage/", import.meta.url));
  const config = { configFile: false, root, logLevel: "silent", build: { outDir, target: "esnext" } } as const;
  try {
    await build(config);
    const server = await preview({ ...config, preview: { port: 0, headers } });
    const browser = await chromium.launch({ executablePath: found.path, args: [...found.args] });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.resolvedUrls!.local[0]}?threads=${threads}`);
      await page.waitForFunction('document.title === "done"', null, { timeout: 0 });
      return JSON.parse((await page.textContent("pre"))!) as CpuPageResult;
    } finally {
      await browser.close();
      await server.close();
    }
  } finally {
    rmSync(outDir, { recursive: true });
  }
}

describe.skipIf(found.missing)(
  `the cpu device in Chromium${found.missing ? ` (skipped: ${found.missing})` : ""}`,
  () => {
    test.each([
      ["with threads on a page that is cross-origin isolated", isolation, "3 threads", 3],
      ["with one thread on any other page", {}, "1 thread, since the page is not cross-origin isolated", 1],
    ] as const)("computes %s", async (_, headers, threads, running) => {
      const { errors, ...result } = await openPage(3, headers);
      expect(result).toEqual({
        ready: `WebAssembly with SIMD, ${threads}`,
        running,
        sameOnOneThread: true,
        sameAgain: true,
        onLoops: [],
      });
      expect(errors.length).toBeGreaterThan(8);
      for (const error of errors) expect(error).toBeLessThan(1e-4);
    });
  },
);
