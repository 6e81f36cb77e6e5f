import { defineConfig } from "vitest/config";

// eslint-disable-next-line no-restricted-syntax -- vitest reads a config's default export
export default defineConfig({
  test: {
    include: ["packages/**/*.test.ts", "docs/**/*.test.ts", "scripts/**/*.test.ts"],
    globalSetup: ["scripts/testDevices.ts"],
    setupFiles: ["scripts/registerDevices.ts"],
    pool: "forks",
    execArgv: ["--expose-gc"], // tests that count live buffers collect garbage before they count
    testTimeout: 120_000, // ms; some tests train a small network, and a slow machine may take ten times as long
  },
});
