/** @file Runs setup.mjs in a scratch workspace, with a stand-in for npx that notes its arguments. Needs a POSIX shell. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let root: string;

const write = (file: string, text: string) => writeFileSync(join(root, file), text);
const manifest = (node: string) =>
  write("package.json", `{"engines":{"node":"${node}"},"packageManager":"pnpm@1.2.3"}`);

/** What the stand-in does after it has noted its arguments. */
function npx(body: string) {
  write("bin/npx", `#!/bin/sh\necho "$@" >> calls\n${body}\n`);
  chmodSync(join(root, "bin/npx"), 0o755);
}

function setup() {
  const path = join(root, "bin") + delimiter + process.env.PATH;
  const env = { ...process.env, PATH: path };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/setup.mjs"], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  return { status, stdout, stderr: stderr.replace(/[\d.]+ s$/m, "N s") };
}

const calls = () =>
  existsSync(join(root, "calls")) ? readFileSync(join(root, "calls"), "utf8").trim().split("\n") : [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "gridgrad-setup-"));
  for (const folder of ["scripts", "bin", "packages/core"]) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(fileURLToPath(new URL("setup.mjs", import.meta.url)), join(root, "scripts/setup.mjs"));
  write("scripts/buildKernels.mjs", "// the scratch workspace has no kernels");
  manifest(">=20.19");
  write("pnpm-lock.yaml", "lockfileVersion: '9.0'");
  write("packages/core/package.json", "{}");
  npx("mkdir -p node_modules");
});
afterEach(() => rmSync(root, { recursive: true }));

describe.skipIf(process.platform === "win32")("setup", () => {
  test("installs once with the pinned pnpm, says so in one line on stderr, and is silent from then on", () => {
    expect(setup()).toEqual({
      status: 0,
      stdout: "",
      stderr: "setup: installing packages (npx --yes pnpm@1.2.3 install --frozen-lockfile --prod=false) ... N s\n",
    });
    expect(setup()).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(calls()).toEqual(["--yes pnpm@1.2.3 install --frozen-lockfile --prod=false"]);
  });

  test.each(["pnpm-lock.yaml", "packages/core/package.json"])("installs again after a change of %s", (file) => {
    setup();
    write(file, '{"name": "changed"}');
    setup();
    expect(calls()).toHaveLength(2);
  });

  test("reports an install that fails with its last lines, also under npm's silence, and tries again the next time", () => {
    setup();
    write("pnpm-lock.yaml", "changed");
    npx("echo no route to the registry; echo loglevel $npm_config_loglevel >&2; exit 7");
    process.env.npm_config_loglevel = "silent";
    const { status, stdout, stderr } = setup();
    delete process.env.npm_config_loglevel;
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatchInlineSnapshot(`
      "setup: installing packages (npx --yes pnpm@1.2.3 install --frozen-lockfile --prod=false) ... failed
      setup: \`npx --yes pnpm@1.2.3 install --frozen-lockfile --prod=false\` must succeed (it needs the npm registry the first time), got exit code 7; its last lines:
        no route to the registry
        loglevel warn
      "
    `);
    write("pnpm-lock.yaml", "lockfileVersion: '9.0'"); // what was installed at first, but the failure may have left it broken
    setup();
    expect(calls()).toHaveLength(3);
  });

  test("refuses a Node that is too old before anything is installed", () => {
    manifest(">=99.1");
    const { status, stderr } = setup();
    expect(status).toBe(1);
    expect(stderr.replace(process.version, "v0.0.0")).toMatchInlineSnapshot(`
      "setup: Node must be 99.1 or newer, this is v0.0.0: get one from https://nodejs.org
      "
    `);
    expect(calls()).toEqual([]);
  });
});
