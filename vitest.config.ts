/**
 * @file What `npm test` runs: all tests in Node, and the tests of the ops once more in Chromium, on the devices that are only there.
 *
 * `npx vitest run --project node` leaves the browser out, as GRIDGRAD_TEST_BROWSER=none does; see scripts/findChromium.ts.
 */
import { fileURLToPath } from "node:url";

import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

import { findChromium } from "./scripts/findChromium.ts";

const chromium = findChromium();

/** Both projects. */
const shared = {
  setupFiles: ["scripts/registerDevices.ts"],
  testTimeout: 120_000, // ms; some tests train a small network, and a slow machine may take ten times as long
};

const inNode: TestProjectInlineConfiguration = {
  test: {
    ...shared,
    name: "node",
    include: ["packages/**/*.test.ts", "docs/**/*.test.ts", "scripts/**/*.test.ts"],
    globalSetup: ["scripts/testDevices.ts"],
    provide: { chromium },
    pool: "forks",
    execArgv: ["--expose-gc"], // tests that count live buffers collect garbage before they count
    sequence: { groupOrder: 0 },
  },
};

function inChromium(path: string, args: readonly string[]): TestProjectInlineConfiguration {
  return {
    resolve: {
      // As files are imported: ./goldenFiles.ts, @gridgrad/core/testing/goldenFiles
      alias: [
        {
          find: /^.*\/goldenFiles(\.ts)?$/,
          replacement: fileURLToPath(new URL("packages/core/src/testing/goldenFilesInBrowser.ts", import.meta.url)),
        },
      ],
    },
    test: {
      ...shared,
      name: "chromium",
      include: ["packages/{core,ops}/src/ops/*.test.ts"],
      provide: {
        devices: ["cpu", "gpu:webgl2", "gpu:webgpu"].map((name) => ({ name, missing: null })),
        onlyDevices: true,
      },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath: path, args: [...args] } }),
        instances: [{ browser: "chromium" }],
      },
      isolate: false, // one page, and on it one device of each kind: a browser loses the oldest GPU contexts where there are many
      fileParallelism: false, // SwiftShader uses all cores by itself
      sequence: { groupOrder: 1 }, // after Node: time limits hold where two do not share the machine
    },
  };
}

// eslint-disable-next-line no-restricted-syntax -- vitest reads a config's default export
export default defineConfig({
  test: {
    projects: [inNode, ...(chromium.missing === null ? [inChromium(chromium.path, chromium.args)] : [])],
  },
});
