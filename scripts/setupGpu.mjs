/**
 * @file Installs the two native packages that gpu.js can draw on in Node: `gl` for gpu:headlessgl, `webgpu` for gpu:webgpu.
 *
 * They are no dependencies: together they are 180 MB, `gl` compiles for minutes where no binary fits, and gridgrad runs without.
 * So npm puts them into node_modules/.gpu, and links in node_modules make them known to gpu.js and to the workspace's packages.
 * Run again, it installs only what is missing or does not load.
 *
 *     npm run setup:gpu               both
 *     npm run setup:gpu -- webgpu     one of them
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * What each package is for, and a program that prints what it runs on, or what it lacks.
 *
 * @type {Record<string, { version: string, device: string, installing: string, program: string, toBuild: string[], toRun: string[] }>}
 */
const packages = {
  gl: {
    version: "8.1.6",
    device: "gpu:headlessgl",
    installing: "compiled where no binary fits this machine, in about five minutes",
    program: `
      const context = require("gl")(1, 1);
      console.log(context ? "runs" : "loads, but finds no display to draw on");`,
    toBuild: [
      "to compile it: a C++ compiler, make, python3, pkg-config and the headers of X11 and OpenGL. On Debian:",
      "  apt-get install build-essential python3 pkg-config libxi-dev libgl-dev",
    ],
    toRun: [
      "to run it without a screen: a virtual display around the command, with which Mesa comes along. On Debian:",
      "  apt-get install xvfb xauth",
      "  xvfb-run -a npm start -- --device gpu:headlessgl",
    ],
  },
  webgpu: {
    version: "0.6.2",
    device: "gpu:webgpu",
    installing: "130 MB",
    program: `
      import("webgpu").then(async ({ create }) => {
        const gpu = create([]);
        const adapter = await gpu.requestAdapter();
        const device = await adapter?.requestDevice();
        if (device) console.log("runs on", adapter.info.description || adapter.info.vendor);
        else console.log("loads, but finds no graphics adapter");
        device?.destroy();
      });`,
    toBuild: ["to install it: Linux, macOS or Windows on x64 or arm64, for which the package has binaries"],
    toRun: [
      "to run it: a driver for Vulkan, Metal or Direct3D 12; for Vulkan also its loader (Debian: libvulkan1). Without a GPU",
      "a driver for the CPU will do. Mesa's (mesa-vulkan-drivers) must be newer than that of Debian 12; SwiftShader comes with",
      "Chromium. On Debian:",
      "  apt-get install libvulkan1 chromium",
      "  export VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json XDG_RUNTIME_DIR=/run/user/$(id -u)   # any folder",
    ],
  },
};

const modules = join(fileURLToPath(new URL("..", import.meta.url)), "node_modules");
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(packages, name));
if (unknown !== undefined) {
  console.error(`setup:gpu: packages must be among ${Object.keys(packages).join(", ")}, got ${unknown}`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : Object.keys(packages)) setUp(name);

/** @param {string} name */
function setUp(name) {
  const { version, device, installing, toBuild, toRun } = packages[name];
  const folder = join(modules, ".gpu", name);
  let state = installedVersion(folder, name) === version ? probe(folder, name) : null;
  if (state?.loads) {
    console.log(`${name} ${version} is installed already`);
  } else {
    console.log(`${name} ${version}: installing (${installing}) ...`);
    const start = performance.now();
    const problem = install(folder, name);
    state = problem === null ? probe(folder, name) : { loads: false, text: problem };
    if (!state.loads) {
      return fail(`${name} ${version} is not installed`, state.text, [...toBuild, ...toRun]);
    }
    console.log(`${name} ${version}: installed in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
  const linked = link(folder, name);
  if (linked !== null) return fail(`${name} ${version} is installed but not linked`, linked, []);
  console.log(`${device}: ${name} ${state.text}`);
  if (!state.text.startsWith("runs")) for (const line of toRun) console.log(`  ${line}`);
}

/**
 * Lets npm install a package into a folder of its own, so that the failure of one does not take the other away.
 *
 * @param {string} folder
 * @param {string} name
 * @returns {string | null} the end of npm's output, if it fails.
 */
function install(folder, name) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // Newer versions of npm run no install script that a manifest does not allow.
  const manifest = { private: true, allowScripts: { [name]: true } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  // The headers that were installed together with this Node spare the compiler a download.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, "include", "node", "node.h")) ? { npm_config_nodedir: prefix } : {};
  // npm's own arguments must not reach the npm below, which would take this workspace for its folder.
  const inherited = Object.entries(process.env).filter(
    ([key]) => !/^npm_(config_(local_)?prefix|package|lifecycle)/i.test(key),
  );
  const result = spawnSync(
    "npm",
    [
      "install",
      "--prefix",
      folder,
      "--no-audit",
      "--no-fund",
      "--foreground-scripts",
      `${name}@${packages[name].version}`,
    ],
    {
      cwd: folder,
      encoding: "utf8",
      env: { JOBS: "max", ...headers, ...Object.fromEntries(inherited), npm_config_loglevel: "warn" },
      maxBuffer: 2 ** 28, // bytes; a compiler's warnings are long, and their end is what counts
      shell: process.platform === "win32", // there npm is a .cmd file, which only a shell can start
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  if (!result.error && result.status === 0) return null;
  const why = result.error?.message ?? (result.signal ? `killed by ${result.signal}` : `exit code ${result.status}`);
  const lines = `${result.stdout ?? ""}\n${result.stderr ?? ""}`.split("\n").filter((line) => line.trim() !== "");
  return [`npm install: ${why}; its last lines:`, ...lines.slice(-25).map((line) => `  ${line}`)].join("\n");
}

/**
 * @param {string} folder
 * @param {string} name
 */
function installedVersion(folder, name) {
  const manifest = join(folder, "node_modules", name, "package.json");
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : null;
}

/**
 * Loads a package in a process of its own, which a driver may take down with it.
 *
 * @param {string} folder
 * @param {string} name
 */
function probe(folder, name) {
  const result = spawnSync(process.execPath, ["-e", packages[name].program], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000, // ms; a driver on the CPU needs two seconds
  });
  const said = result.stdout.trim().split("\n").at(-1) ?? "";
  if (result.status === 0 && said !== "") return { loads: true, text: said };
  const error = result.stderr.split("\n").find((line) => /^\w*Error\b|\[.*Error/.test(line)) ?? result.stderr.trim();
  return { loads: false, text: `it does not load: ${error || (result.signal ?? `exit code ${result.status}`)}` };
}

/**
 * Makes node_modules/NAME a link to the package, in one step: who looks for it meanwhile finds the old or the new one.
 *
 * @param {string} folder
 * @param {string} name
 * @returns {string | null} why not.
 */
function link(folder, name) {
  const place = join(modules, name);
  const target = join(folder, "node_modules", name);
  const present = lstatSync(place, { throwIfNoEntry: false });
  if (present && !present.isSymbolicLink()) return `${place} is a folder of someone else's; delete it and try again`;
  const temporary = `${place}.${process.pid}.tmp`;
  const windows = process.platform === "win32"; // where junctions need no rights, and want whole paths
  symlinkSync(windows ? target : relative(modules, target), temporary, windows ? "junction" : "dir");
  renameSync(temporary, place);
  return null;
}

/**
 * @param {string} what
 * @param {string} why
 * @param {string[]} remedies
 */
function fail(what, why, remedies) {
  console.error(`setup:gpu: ${what}: ${why}`);
  for (const line of remedies) console.error(line);
  process.exitCode = 1;
}
