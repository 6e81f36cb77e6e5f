import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const ours = new URL("typescript.mjs", import.meta.url).href;

/** A program, and a temporary folder of its own. */
function makeProgram(): { program: string; shared: string; run: (loader: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-typescript-"));
  const [program, shared] = [join(folder, "program.ts"), join(folder, "shared")];
  mkdirSync(shared);
  writeFileSync(program, 'import { tmpdir } from "node:os";\nconst where: string = tmpdir();\nconsole.log(where);\n');
  const run = (loader: string): string =>
    execFileSync(process.execPath, ["--import", loader, program], {
      cwd: root,
      env: { ...process.env, TMPDIR: shared, TEMP: shared, TMP: shared },
      encoding: "utf8",
    }).trim();
  return { program, shared, run };
}

test("code that somebody else has put into the temporary folder, in the place of compiled sources, does not run", () => {
  const { shared, run } = makeProgram();
  expect(run("tsx")).toBe(shared);
  const [cache] = readdirSync(shared);
  for (const name of readdirSync(join(shared, cache))) {
    const file = join(shared, cache, name);
    const compiled = JSON.parse(readFileSync(file, "utf8")) as { code: string };
    writeFileSync(file, JSON.stringify({ ...compiled, code: `console.log("planted");${compiled.code}` }));
  }
  expect(run("tsx")).toBe(`planted\n${shared}`); // the loader by itself does run it
  expect(run(ours)).toBe(shared);
});

test("nothing is kept in the temporary folder, which is the program's again", () => {
  const { shared, run } = makeProgram();
  expect(run(ours)).toBe(shared);
  expect(readdirSync(shared)).toEqual([]);
});

test("every script and every process of the sources is started in this way", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const ofSources = Object.values(scripts).filter((script) => script.includes(".ts"));
  expect(ofSources.length).toBeGreaterThan(0);
  for (const script of ofSources) expect(script).toMatch(/^node --import \.\/scripts\/typescript\.mjs packages\//);

  const folders = ["packages", "scripts", "docs"];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|mjs)$/.test(name) && !/node_modules|typescript\.(test\.ts|mjs)$/.test(name))
      .map((name) => join(folder, name)),
  );
  expect(files).toContain(join("packages", "dysample", "src", "compare", "sourceProcess.ts"));
  expect(files.filter((file) => /["'`]tsx\b|import tsx/.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
});
