/**
 * @file What `npm test` runs. GRIDGRAD_TEST_TIER says how much of it, see packages/core/src/testing/tier.ts: from `ci` on also the tests of
 * the ops in Chromium, on the devices that are only there.
 *
 * Test files share processes, one for each core, and the modules that are loaded there: a process of its own for each file would load all
 * of them 150 times, which takes longer than the tests. scripts/beforeFiles.ts says what each file begins with. Files that load modules anew, or
 * replace them, have a process of their own.
 */
import { fileURLToPath } from "node:url";

import { playwright } from "@vitest/browser-playwright";
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

import { parseTier } from "./packages/core/src/testing/tier.ts";
import { findChromium } from "./scripts/findChromium.ts";

const tier = parseTier(process.env["GRIDGRAD_TEST_TIER"]);
const chromium = tier === "quick" ? findChromium({ GRIDGRAD_TEST_BROWSER: "none", ...process.env }) : findChromium();

/** Short files that take minutes, begun first: at the end the other processes would have nothing to do beside them. */
const long = /trajectory\.\w+\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files); // by what they took the last time, or by their size
    return [
      ...sorted.filter(({ moduleId }) => long.test(moduleId)),
      ...sorted.filter(({ moduleId }) => !long.test(moduleId)),
    ];
  }
}

/** All projects. */
const shared = {
  setupFiles: ["scripts/beforeFiles.ts"],
  // ms, against a test that hangs and nothing else: no test measures time, and a busy machine may take a hundred times as long as a quiet one.
  testTimeout: 600_000,
  hookTimeout: 600_000,
};

const node: TestProjectInlineConfiguration["test"] = {
  ...shared,
  globalSetup: ["scripts/testDevices.ts"],
  provide: { chromium, tier, root: fileURLToPath(new URL(".", import.meta.url)) },
  pool: "forks",
  execArgv: ["--expose-gc"], // tests that count live buffers collect garbage before they count
  sequence: { groupOrder: 0 },
};

/** They call vi.resetModules or vi.mock, or leave a module in a state that no other file expects. */
const alone = [
  "packages/core/src/device.test.ts",
  "packages/dysample/src/training/folderLock.test.ts",
  "packages/dysample/src/training/folderLock.race.test.ts",
  "packages/nn/src/eventLoop.test.ts",
];

const inNode: TestProjectInlineConfiguration = {
  test: {
    ...node,
    name: "node",
    include: ["packages/**/*.test.ts", "docs/**/*.test.ts", "scripts/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...alone],
    isolate: false,
  },
};

const aloneInNode: TestProjectInlineConfiguration = { test: { ...node, name: "alone", include: alone } };

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
        tier,
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
      fileParallelism: false, // all pages share one GPU process
      sequence: { groupOrder: 1 }, // another number of files at a time asks for another group; .ci/run runs both at once
    },
  };
}

// eslint-disable-next-line no-restricted-syntax -- vitest reads a config's default export
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    maxWorkers: "100%", // of the cores; by itself vitest leaves one of them to its main process, which sleeps
    projects: [inNode, aloneInNode, ...(chromium.missing === null ? [inChromium(chromium.path, chromium.args)] : [])],
  },
});
