/**
 * @file `npm run check:packages`: what users install, tried as they would. Builds and packs the packages, installs the tarballs into an
 * empty folder with an empty home, and takes training steps there: in every Node that is supported, in Deno and Bun, behind each
 * bundler, in Chromium; type checkers and linters of packages read them. Losses must be those of the sources, bit for bit.
 *
 * Prints a line for each check, and ends with `N passed, N failed`. With `-- --quick` only what breaks most easily.
 */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { chromium, type Browser } from "playwright";

import { buildPackages } from "../build/buildPackages.mjs";
import { filesBelow } from "../build/filesBelow.mjs";
import { packPackages } from "../build/packPackages.mjs";
import { findChromium } from "../findChromium.ts";
import { problemsOfFiles } from "./checkTarballs.mjs";
import { bundlers, pages, typeProgram } from "./programs.ts";
import { type Ended, makeFolder, makeProject, run, start } from "./projects.ts";

/** What an install may cost. */
const most = { megabytes: 15, packages: 15 };

/** `--help` may take so many times what an empty program takes. */
const mostTimesNode = 4;

/** Tools of other people, each in the version that it is known to work in. */
const tools = {
  "@arethetypeswrong/cli": "0.18.5",
  "@rollup/plugin-node-resolve": "16.0.3",
  "@types/node": "20.19.43",
  esbuild: "0.28.2",
  publint: "0.3.25",
  rollup: "4.68.8",
  typescript: "6.0.3",
  "typescript-5.9": "npm:typescript@5.9.3",
  vite: "8.3.8",
  webpack: "5.113.0",
  "webpack-cli": "7.3.1",
};
const quickTools = ["typescript", "@types/node", "vite"] as const;

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const { quick } = values;
const root = fileURLToPath(new URL("../..", import.meta.url));
const base = realpathSync(mkdtempSync(join(tmpdir(), "gridgrad-packages-")));
const home = join(base, "home");
const at = (name: string): string => join(base, name);

let [passed, failed] = [0, 0];

/** One check: `body` returns what there is to tell, and throws when it fails. */
async function check(name: string, body: () => Promise<string | void> | string | void): Promise<boolean> {
  const began = performance.now();
  const [ok, told] = await (async () => body())().then(
    (result) => [true, result ?? ""] as const,
    (error: unknown) => [false, error instanceof Error ? error.message : String(error)] as const,
  );
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? "ok    " : "FAILED"} ${name.padEnd(44)} ${seconds.padStart(6)} s  ${told}`);
  return ok;
}

/** The same for a program that must end with 0. */
async function runs(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  const ended = await run(command, args, cwd, home);
  if (ended.code === 0) return ended;
  throw new Error(
    `${[command, ...args].join(" ")} ended with ${ended.code}:\n${lastOf(ended.out)}${lastOf(ended.err)}`,
  );
}

const lastOf = (text: string): string => text.slice(-2000);

/** The last line of what was printed, which is JSON. */
function lastLine({ out }: Ended): unknown {
  return JSON.parse(out.trim().split("\n").at(-1)!);
}

const devices = ["cpu", "gpu:webasm"];
const program = readFileSync(join(root, "scripts/packages/trainStep.mjs"), "utf8");
const printLosses = `import { trainStep } from "./trainStep.mjs";
console.log(JSON.stringify(await trainStep(${JSON.stringify(devices)})));
process.exit();
`;

/** By device, what the sources give. */
let expected: Record<string, number[]> = {};

function sameLosses(losses: unknown): string {
  if (JSON.stringify(losses) !== JSON.stringify(expected)) {
    throw new Error(`losses must be ${JSON.stringify(expected)}, got ${JSON.stringify(losses)}`);
  }
  return `loss ${expected["cpu"].at(-1)}`;
}

async function inNode(name: string, node: readonly string[], installed: string): Promise<void> {
  const require = `const { trainStep } = require("./trainStep.cjs");
trainStep(${JSON.stringify(devices)}).then((losses) => { console.log(JSON.stringify(losses)); process.exit(); });
`;
  const asCommonJs = program
    .replace(/^import (\{[^}]*\}) from "gridgrad";$/m, 'const $1 = require("gridgrad");')
    .replace("export async function", "module.exports.trainStep = trainStep;\nasync function");
  const folder = makeProject(at(`node-${name}`), installed, {
    "trainStep.mjs": program,
    "trainStep.cjs": asCommonJs,
    "import.mjs": printLosses,
    "require.cjs": require,
  });
  const [command, ...args] = node;
  for (const file of ["import.mjs", "require.cjs"]) {
    await check(`Node ${name}, ${file.split(".")[0]}`, async () =>
      sameLosses(lastLine(await runs(command, [...args, file], folder))),
    );
  }
}

async function inOtherEngines(installed: string): Promise<void> {
  const folder = makeProject(at("engines"), installed, {
    "package.json": '{ "type": "module" }',
    "trainStep.mjs": program,
    "import.mjs": printLosses,
  });
  const npx = (...args: string[]): Promise<Ended> => runs("npx", ["--yes", ...args], folder);
  await check("Deno 2", async () => sameLosses(lastLine(await npx("deno@2.9.6", "run", "-A", "import.mjs"))));
  await check("Bun 1", async () => sameLosses(lastLine(await npx("bun@1.4.5", "import.mjs"))));
}

async function checkTypes(installed: string, toolbox: string): Promise<void> {
  const compilers = quick
    ? [["6.0", "typescript"]]
    : [
        ["5.9", "typescript-5.9"],
        ["6.0", "typescript"],
      ];
  const resolutions = quick ? ["nodenext"] : ["nodenext", "bundler"];
  const strictest = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true };
  for (const [version, compiler] of compilers) {
    for (const resolution of resolutions) {
      await check(`types: TypeScript ${version}, ${resolution}`, async () => {
        const options = {
          strict: true,
          skipLibCheck: false,
          ...(resolution === "bundler" ? strictest : {}),
          target: "es2023",
          module: resolution === "bundler" ? "esnext" : "nodenext",
          moduleResolution: resolution,
          outDir: "out",
          types: ["node"],
          typeRoots: [join(toolbox, "node_modules", "@types")],
        };
        const folder = makeProject(at(`types-${version}-${resolution}`), installed, {
          "package.json": '{ "type": "module" }',
          "tsconfig.json": JSON.stringify({ compilerOptions: options, files: ["program.ts"] }),
          "program.ts": typeProgram,
        });
        const tsc = join(toolbox, "node_modules", compiler, "lib", "tsc.js");
        await runs(process.execPath, [tsc, "-p", "."], folder);
      });
    }
  }
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
};

/** Serves a folder on a port of its own. */
async function serve(folder: string): Promise<{ url: string; close: () => void }> {
  const server = createServer(({ url = "/" }, response) => {
    const path = join(folder, decodeURIComponent(new URL(url, "http://localhost").pathname));
    const file = existsSync(path) && statSync(path).isDirectory() ? join(path, "index.html") : path;
    if (!existsSync(file)) return void response.writeHead(404).end();
    response
      .writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" })
      .end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

/** What a page says that it has computed. */
async function inPage(browser: Browser, url: string): Promise<unknown> {
  const page = await browser.newPage();
  try {
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    await page.goto(url);
    const done = page.waitForFunction("document.title.startsWith('{') || document.title.startsWith('failed')", null, {
      timeout: 120_000,
    });
    await done.catch((error: Error) => {
      throw new Error(`${error.message.split("\n")[0]}; the page says: ${problems.join("; ")}`);
    });
    const title = await page.title();
    if (title.startsWith("failed")) throw new Error(`the page says: ${title}; ${problems.join("; ")}`);
    return JSON.parse(title);
  } finally {
    await page.close();
  }
}

async function checkBundlers(installed: string, toolbox: string): Promise<void> {
  const found = findChromium({ ...process.env, GRIDGRAD_TEST_BROWSER: "required" });
  if (found.missing !== null) throw new Error(found.missing);
  const browser = await chromium.launch({ executablePath: found.path, args: [...found.args] });
  try {
    for (const [name, bundler] of Object.entries(bundlers)) {
      if (quick && name !== "vite build") continue;
      await check(`${name}, in Chromium`, async () => {
        const folder = makeProject(at(name.replace(" ", "-")), installed, {
          ...pages(program, devices),
          ...bundler.files(join(toolbox, "node_modules")),
        });
        const [file, ...args] = bundler.command(join(toolbox, "node_modules"));
        if (bundler.server) {
          const port = 20_000 + Math.floor(Math.random() * 20_000);
          const { child, ended } = start(process.execPath, [file, ...args, "--port", String(port)], folder, home);
          try {
            await answers(`http://127.0.0.1:${port}/`);
            return sameLosses(await inPage(browser, `http://127.0.0.1:${port}/`));
          } finally {
            child.kill();
            await ended;
          }
        }
        await runs(process.execPath, [file, ...args], folder);
        const { url, close } = await serve(join(folder, "dist"));
        try {
          return `${sameLosses(await inPage(browser, url))}, ${kilobytes(join(folder, "dist"))} KB in all`;
        } finally {
          close();
        }
      });
    }
  } finally {
    await browser.close();
  }
}

/** Waits until a server answers. */
async function answers(url: string): Promise<void> {
  for (let k = 0; k < 200; k++) {
    if (
      await fetch(url).then(
        (response) => response.ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} must answer within 20 s`);
}

function kilobytes(folder: string): number {
  return Math.round(filesBelow(folder).reduce((bytes, file) => bytes + statSync(file).size, 0) / 1000);
}

async function checkCommand(installed: string): Promise<void> {
  const folder = makeProject(at("command"), installed, {});
  const bin = join(folder, "node_modules", ".bin", "gridgrad");
  const gridgrad = (...args: string[]): Promise<Ended> => runs(bin, args, folder);
  await check("command: --version", async () => {
    const { out } = await gridgrad("--version");
    const { version } = JSON.parse(readFileSync(join(folder, "node_modules/gridgrad/package.json"), "utf8")) as {
      version: string;
    };
    if (out.trim() !== version) throw new Error(`must be ${version}, got ${out}`);
    return out.trim();
  });
  await check(`command: --help within ${mostTimesNode} times node -e 0`, async () => {
    const [help, nothing]: number[][] = [[], []];
    for (let k = 0; k < 7; k++) {
      nothing.push(await timed(() => runs(process.execPath, ["-e", "0"], folder)));
      help.push(await timed(() => gridgrad("--help")));
    }
    const ratio = median(help) / median(nothing);
    const told = `${median(help).toFixed(0)} ms, ${ratio.toFixed(1)} times ${median(nothing).toFixed(0)} ms`;
    if (ratio > mostTimesNode) throw new Error(told);
    return told;
  });
  await check("command: train", async () => {
    const { out } = await gridgrad("train", "--steps", "3", "--batch", "2", "--eval-images", "2", "--out", "run");
    if (!existsSync(join(folder, "run", "weights.safetensors"))) throw new Error(`there must be weights, got ${out}`);
  });
  await check("command: compare, whose runs are processes", async () => {
    const options = ["--steps", "2", "--batch", "1", "--eval-images", "1", "--seeds", "1"];
    await gridgrad("compare", "--upsamplers", "nearest,dysample", ...options, "--out", "comparison");
    if (!existsSync(join(folder, "comparison", "report.html"))) throw new Error("there must be a report");
  });
  await check("command: devices", async () => {
    const { out } = await gridgrad("devices");
    for (const line of [/^cpu +WebAssembly with SIMD/m, /^gpu:webasm +gpu.js webasm/m, /^gpu:webgl2 +missing: /m]) {
      if (!line.test(out)) throw new Error(`must have a line like ${line}, got ${out}`);
    }
  });
  await check("command: a queue without its packages", async () => {
    const { code, err } = await run(bin, ["worker", "--queue", "redis://127.0.0.1:1"], folder, home);
    if (code !== 1 || !/bullmq@\S+ .*ioredis@/.test(err))
      throw new Error(`must name the packages, got ${code}: ${err}`);
    return err.trim().split("\n")[0];
  });
}

async function timed(body: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await body();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

async function checkInstall(installed: string): Promise<void> {
  const lock = JSON.parse(readFileSync(join(installed, "package-lock.json"), "utf8")) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
  await check("install: megabytes", () => {
    const megabytes = kilobytes(join(installed, "node_modules")) / 1000;
    if (megabytes > most.megabytes) throw new Error(`must be at most ${most.megabytes}, got ${megabytes}`);
    return `${megabytes.toFixed(1)} MB of ${most.megabytes}`;
  });
  await check("install: packages", () => {
    if (packages.length > most.packages) throw new Error(`must be at most ${most.packages}, got ${packages.length}`);
    return `${packages.length} of ${most.packages}`;
  });
  await check("install: no scripts run", () => {
    const scripts = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
    if (scripts.length > 0) throw new Error(scripts.join(", "));
  });
}

async function main(): Promise<void> {
  mkdirSync(home, { recursive: true });
  let tarballs = new Map<string, string>();
  const built = await check("build and pack", async () => {
    await buildPackages();
    tarballs = packPackages(at("tarballs"));
    return [...tarballs.values()].map((path) => `${(statSync(path).size / 1e6).toFixed(2)} MB`).join(", ");
  });
  if (!built) return;
  await check("losses of the sources", async () => {
    const printer = join(root, "scripts", "packages", "printLosses.ts");
    const ended = await runs(process.execPath, [join(root, "scripts", "run.mjs"), printer, ...devices], root);
    expected = lastLine(ended) as typeof expected;
    return JSON.stringify(expected);
  });
  const installed = makeFolder(at("installed"), {
    "package.json": JSON.stringify({
      name: "somebody",
      private: true,
      dependencies: Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`])),
    }),
  });
  const quiet = ["--no-audit", "--no-fund", "--loglevel", "error"];
  if (!(await check("npm install", async () => void (await runs("npm", ["install", ...quiet], installed))))) return;
  await checkInstall(installed);
  for (const name of tarballs.keys()) {
    await check(`files of ${name}`, () => {
      const problems = problemsOfFiles(join(installed, "node_modules", name));
      if (problems.length > 0) throw new Error(problems.slice(0, 10).join("\n"));
    });
  }
  await inNode(process.versions.node.split(".")[0], [process.execPath], installed);
  if (!quick) {
    const others = ["20", "22", "24", "26"].filter((version) => !process.version.startsWith(`v${version}.`));
    for (const version of others) await inNode(version, ["npx", "--yes", `node@${version}`], installed);
    await inOtherEngines(installed);
  }
  const wanted = Object.entries(tools).filter(([name]) => !quick || (quickTools as readonly string[]).includes(name));
  const toolbox = makeFolder(at("tools"), {
    "package.json": JSON.stringify({ private: true, dependencies: Object.fromEntries(wanted) }),
  });
  if (!(await check("tools of others", async () => void (await runs("npm", ["install", ...quiet], toolbox))))) return;
  await checkTypes(installed, toolbox);
  await checkBundlers(installed, toolbox);
  await checkCommand(installed);
  if (quick) return;
  for (const [name, tarball] of tarballs) {
    const bin = (tool: string): string => join(toolbox, "node_modules", ".bin", tool);
    await check(`publint ${name}`, async () => void (await runs(bin("publint"), ["run", tarball, "--strict"], base)));
    await check(
      `are the types wrong: ${name}`,
      async () => void (await runs(bin("attw"), [tarball, "--profile", "esm-only"], base)),
    );
  }
}

try {
  await main();
} finally {
  rmSync(base, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
