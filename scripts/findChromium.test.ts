import { expect, inject, test } from "vitest";

import { findChromium } from "./findChromium.ts";

const none = { PATH: "/nowhere" };

test("takes what GRIDGRAD_CHROMIUM names, whatever else there is", () => {
  expect(findChromium({ ...none, GRIDGRAD_CHROMIUM: process.execPath })).toMatchObject({
    path: process.execPath,
    missing: null,
  });
});

test("looks for a browser by its usual names", () => {
  expect(findChromium(none, "linux")).toMatchInlineSnapshot(`
    {
      "missing": "no Chromium found; \`apt-get install chromium\`, or set GRIDGRAD_CHROMIUM to the path of Chrome",
    }
  `);
});

test("fails where a browser is required and there is none", () => {
  const env = { ...none, GRIDGRAD_TEST_BROWSER: "required" };
  expect(() => findChromium(env, "linux")).toThrowErrorMatchingInlineSnapshot(
    `[Error: GRIDGRAD_TEST_BROWSER is required: no Chromium found; \`apt-get install chromium\`, or set GRIDGRAD_CHROMIUM to the path of Chrome]`,
  );
});

test("fails where GRIDGRAD_CHROMIUM names nothing that runs", () => {
  expect(() => findChromium({ GRIDGRAD_CHROMIUM: "/nowhere/chromium" })).toThrowErrorMatchingInlineSnapshot(
    `[Error: GRIDGRAD_CHROMIUM: must be the path of a Chromium, got /nowhere/chromium]`,
  );
});

test("leaves the browser out where GRIDGRAD_TEST_BROWSER is none, and knows no other word", () => {
  expect(findChromium({ GRIDGRAD_CHROMIUM: process.execPath, GRIDGRAD_TEST_BROWSER: "none" }).missing).toBe(
    "GRIDGRAD_TEST_BROWSER is none",
  );
  expect(() => findChromium({ GRIDGRAD_TEST_BROWSER: "yes" })).toThrowErrorMatchingInlineSnapshot(
    `[Error: GRIDGRAD_TEST_BROWSER: must be required, none or unset, got yes]`,
  );
});

const { missing } = inject("chromium");
test.skipIf(missing)(
  `the tests of the ops run in Chromium, too${missing ? ` (skipped: ${missing})` : ""}`,
  async () => {
    const { default: config } = (await import("../vitest.config.ts")) as {
      default: { test: { projects: readonly { test: { name: string } }[] } };
    };
    expect(config.test.projects.map(({ test: { name } }) => name)).toEqual(["node", "alone", "chromium"]);
  },
);
