import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeEach, describe, expect, test } from "vitest";

// The script in a folder of its own, with a package of a few bytes for `gl`, and an npm that has no network.

const source = fileURLToPath(new URL("setupGpu.mjs", import.meta.url));
const [, version] = /gl: \{\s*version: "([^"]+)"/.exec(readFileSync(source, "utf8"))!;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "gridgrad-setup-gpu-"));
  cpSync(source, join(root, "scripts", "setupGpu.mjs"));
  write("bin/npm", "#!/bin/sh\necho compiling\necho 'no compiler' >&2\nexit 1\n");
  chmodSync(join(root, "bin/npm"), 0o755);
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Puts a package `gl` where npm would. */
function installGl(program: string): void {
  write("node_modules/.gpu/gl/node_modules/gl/package.json", JSON.stringify({ version, main: "index.js" }));
  write("node_modules/.gpu/gl/node_modules/gl/index.js", program);
}

function setUp(...names: string[]): { code: number | null; out: string; err: string } {
  const env = { ...process.env, PATH: `${join(root, "bin")}:${process.env["PATH"]}` };
  const script = join(root, "scripts", "setupGpu.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...names], { env, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr.replaceAll(root, "ROOT") };
}

const linked = (): string => readlinkSync(join(root, "node_modules/gl"));

describe("a package that is installed", () => {
  test("is linked, the first time and every time, and runs or tells what is missing", () => {
    installGl("module.exports = () => ({});");
    for (let time = 0; time < 2; time++) {
      const { code, out } = setUp("gl");
      expect([code, out]).toEqual([0, `gl ${version} is installed already\ngpu:headlessgl: gl runs\n`]);
      expect(linked()).toBe(join(".gpu", "gl", "node_modules", "gl"));
    }
    installGl("module.exports = () => null;");
    const { code, out } = setUp("gl");
    expect(code).toBe(0);
    expect(out).toMatch(/gpu:headlessgl: gl loads, but finds no display to draw on\n.*xvfb-run/s);
  });

  test("takes the place of another link, but not of a folder", () => {
    installGl("module.exports = () => ({});");
    symlinkSync(tmpdir(), join(root, "node_modules/gl"));
    expect(setUp("gl").code).toBe(0);
    expect(linked()).toBe(join(".gpu", "gl", "node_modules", "gl"));

    unlinkSync(join(root, "node_modules/gl"));
    write("node_modules/gl/index.js", "");
    expect(setUp("gl")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^setup:gpu: gl .* not linked: ROOT\/node_modules\/gl is a folder/),
    });
  });
});

test("a package that cannot be installed fails with npm's words and what it needs, and the link stays", () => {
  installGl("throw new Error('made for another Node')");
  symlinkSync(tmpdir(), join(root, "node_modules/gl"));
  const { code, err } = setUp("gl");
  expect(code).toBe(1);
  expect(err.replace(version, "VERSION")).toMatchInlineSnapshot(`
    "setup:gpu: gl VERSION is not installed: npm install: exit code 1; its last lines:
      compiling
      no compiler
    to compile it: a C++ compiler, make, python3, pkg-config and the headers of X11 and OpenGL. On Debian:
      apt-get install build-essential python3 pkg-config libxi-dev libgl-dev
    to run it without a screen: a virtual display around the command, with which Mesa comes along. On Debian:
      apt-get install xvfb xauth
      xvfb-run -a npm start -- --device gpu:headlessgl
    "
  `);
  expect(linked()).toBe(tmpdir());
});

test("a name that is none of the packages is refused", () => {
  expect(setUp("wepgpu")).toEqual({
    code: 2,
    out: "",
    err: "setup:gpu: packages must be among gl, webgpu, got wepgpu\n",
  });
});
