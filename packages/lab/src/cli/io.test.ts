import { mkdtemp, realpath, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { callersCommand, callersFolder } from "./io.ts";

test("paths start where npm was called, if npm has moved to its package", async () => {
  const base = await realpath(await mkdtemp(join(tmpdir(), "gridgrad-io-")));
  const env = { INIT_CWD: join(base, "packages"), npm_package_json: join(base, "package.json") };
  expect(callersFolder(env, base)).toBe(join(base, "packages"));

  const link = `${base}-link`;
  await symlink(base, link);
  expect(callersFolder({ ...env, npm_package_json: join(link, "package.json") }, base)).toBe(env.INIT_CWD);
});

test("paths start in the current folder otherwise, also below a script of another package", () => {
  expect(callersFolder({}, "/here")).toBe("/here");
  expect(callersFolder({ INIT_CWD: "/called", npm_package_json: "/package/package.json" }, "/here")).toBe("/here");
  expect(callersFolder({ INIT_CWD: "/called" }, "/here")).toBe("/here");
});

test("hints name the command as it was called", () => {
  expect(callersCommand({ npm_lifecycle_event: "gridgrad" })).toBe("npm run -s gridgrad --");
  expect(callersCommand({ npm_lifecycle_event: "test" })).toBe("gridgrad");
  expect(callersCommand({ npm_lifecycle_event: "npx", npm_lifecycle_script: "'gridgrad'" })).toBe("npx gridgrad");
  expect(callersCommand({ npm_lifecycle_event: "npx", npm_lifecycle_script: "gridgrad" })).toBe("npx gridgrad");
  expect(callersCommand({ npm_lifecycle_event: "npx", npm_lifecycle_script: "'vitest'" })).toBe("gridgrad");
  expect(callersCommand({})).toBe("gridgrad");
});
