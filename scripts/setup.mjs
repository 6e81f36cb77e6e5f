/**
 * @file Installs the workspace's packages when they are not, and compiles the kernels of the `cpu` device when their sources have changed,
 * so that `npm test` works on a machine with Node and npm only.
 *
 * Runs before `npm start`, `npm test` and `npm run gridgrad`, hence: no dependencies, nothing on stdout, silent when there is
 * nothing to do. "Installed" means: the last install finished, and since then no manifest changed that it depends on.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(root, "node_modules", ".gridgrad-setup");

// The engines field is the one place for the version; it is of the form ">=major.minor".
const { engines, packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const [major, minor] = process.versions.node.split(".").map(Number);
const [needMajor, needMinor] = engines.node.replace(">=", "").split(".").map(Number);
if (major < needMajor || (major === needMajor && minor < needMinor)) {
  fail(`Node must be ${needMajor}.${needMinor} or newer, this is ${process.version}: get one from https://nodejs.org`);
}

process.stderr.on("error", () => {}); // nobody reads it any more: no reason to leave the packages half installed

const wanted = fingerprint();
if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== wanted) {
  install();
  writeFileSync(stampFile, wanted);
}
// In this process: a start-up that finds everything in place is to take no longer than it must.
await import("./buildKernels.mjs");

/** Hash of everything an install depends on: the manifests, the lock file, and the platform that native files are picked for. */
function fingerprint() {
  const packages = readdirSync(join(root, "packages")).map((name) => join("packages", name, "package.json"));
  const files = ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", ...packages.sort()];
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of files) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(`\n${file}\n`).update(readFileSync(path));
  }
  return hash.digest("hex");
}

/** Runs the pinned pnpm through npx; one line on stderr says what runs and how long it took. */
function install() {
  // A stamp must not outlive an install that is cut short.
  rmSync(stampFile, { force: true });
  const args = ["--yes", packageManager, "install", "--frozen-lockfile", "--prod=false"];
  const command = `npx ${args.join(" ")}`;
  process.stderr.write(`setup: installing packages (${command}) ...`);
  const start = performance.now();
  const result = spawnSync("npx", args, {
    cwd: root,
    encoding: "utf8",
    env: {
      // ms; without a network npm's own waits between its tries (10 s, then 60 s) are more than a minute of no answer.
      npm_config_fetch_retry_mintimeout: "1000",
      npm_config_fetch_retry_maxtimeout: "10000",
      ...process.env,
      // `npm run -s` hands its silence down as a variable, which would leave nothing to report when the install fails.
      npm_config_loglevel: "warn",
    },
    maxBuffer: 2 ** 26, // bytes; far above what pnpm prints, so that a talkative failure is not cut off as an error of ours
    shell: process.platform === "win32", // there npx is a .cmd file, which only a shell can start
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (result.error || result.status !== 0) {
    const why = result.error?.message ?? (result.signal ? `killed by ${result.signal}` : `exit code ${result.status}`);
    const lastLines = `${result.stdout ?? ""}\n${result.stderr ?? ""}`.split("\n").filter((line) => line.trim() !== "");
    process.stderr.write(" failed\n");
    fail(
      `\`${command}\` must succeed (it needs the npm registry the first time), got ${why}; its last lines:`,
      ...lastLines.slice(-20).map((line) => `  ${line}`), // enough for pnpm's longest error with its hint
    );
  }
  process.stderr.write(` ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}

/** @param {string[]} lines */
function fail(...lines) {
  process.stderr.write(`setup: ${lines.join("\n")}\n`);
  process.exit(1);
}
