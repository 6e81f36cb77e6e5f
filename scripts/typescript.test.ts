import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const typescript = new URL("typescript.mjs", import.meta.url).href;
const runner = fileURLToPath(new URL("run.mjs", import.meta.url));

/** Ways to run a program, as arguments of Node before its path. */
const tsx = ["--import", "tsx"];
const ours = { "run.mjs": [runner], "typescript.mjs": ["--import", typescript] };

/** A program, and a temporary folder of its own. */
function makeProgram(): { program: string; shared: string; run: (way: readonly string[]) => string } {
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-typescript-"));
  const [program, shared] = [join(folder, "program.ts"), join(folder, "shared")];
  mkdirSync(shared);
  writeFileSync(program, 'import { tmpdir } from "node:os";\nconst where: string = tmpdir();\nconsole.log(where);\n');
  const run = (way: readonly string[]): string =>
    execFileSync(process.execPath, [...way, program], {
      cwd: root,
      env: { ...process.env, TMPDIR: shared, TEMP: shared, TMP: shared },
      encoding: "utf8",
    }).trim();
  return { program, shared, run };
}

test("code that somebody else has put into the temporary folder, in the place of compiled sources, does not run", () => {
  const { shared, run } = makeProgram();
  expect(run(tsx)).toBe(shared);
  const [cache] = readdirSync(shared);
  for (const name of readdirSync(join(shared, cache))) {
    const file = join(shared, cache, name);
    const compiled = JSON.parse(readFileSync(file, "utf8")) as { code: string };
    writeFileSync(file, JSON.stringify({ ...compiled, code: `console.log("planted");${compiled.code}` }));
  }
  expect(run(tsx)).toBe(`planted\n${shared}`); // the loader by itself does run it
  for (const way of Object.values(ours)) expect(run(way)).toBe(shared);
});

test.each(Object.entries(ours))("%s keeps nothing in the temporary folder, which is the program's again", (_, way) => {
  const { shared, run } = makeProgram();
  expect(run(way)).toBe(shared);
  expect(readdirSync(shared)).toEqual([]);
});

test("every script and every process of the sources is started in this way", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const ofSources = Object.values(scripts).filter((script) => script.includes(".ts"));
  expect(ofSources.length).toBeGreaterThan(0);
  for (const script of ofSources) expect(script).toMatch(/^node scripts\/run\.mjs (packages|scripts)\//);

  const folders = ["packages", "scripts", "docs"];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|mjs)$/.test(name) && !/node_modules|typescript\.(test\.ts|mjs)$/.test(name))
      .map((name) => join(folder, name)),
  );
  expect(files).toContain(join("packages", "lab", "src", "compare", "sourceProcess.ts"));
  expect(files.filter((file) => /["'`]tsx\b|import tsx/.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
});

test("a program is compiled again when one of its files has changed, and knows where each of them is", () => {
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-typescript-"));
  const [program, part, later] = ["program.ts", "part.ts", "later.ts"].map((name) => join(folder, name));
  writeFileSync(
    program,
    'import { url, word } from "./part.ts";\nconst { more } = await import("./later.ts");\nconsole.log(word, more, import.meta.url, url);\n',
  );
  writeFileSync(part, 'export const word: string = "one";\nexport const url = import.meta.url;\n');
  writeFileSync(later, 'export const more: string = "two";\n');
  const run = (): string => execFileSync(process.execPath, [runner, program], { cwd: root, encoding: "utf8" }).trim();
  const places = `${pathToFileURL(program).href} ${pathToFileURL(part).href}`;
  expect(run()).toBe(`one two ${places}`);
  expect(run()).toBe(`one two ${places}`);
  writeFileSync(later, 'export const more: string = "three";\n');
  expect(run()).toBe(`one three ${places}`);
  rmSync(part);
  expect(run).toThrow(/part\.ts/);
});

test("what is kept of a program is made again where it is damaged, and done without where nothing can be written", () => {
  const program = join(mkdtempSync(join(tmpdir(), "gridgrad-typescript-")), "program.ts");
  writeFileSync(program, "console.log('fine' as string);\n");
  const run = (): string => execFileSync(process.execPath, [runner, program], { cwd: root, encoding: "utf8" });
  const cache = join(root, "node_modules/.cache/gridgrad");
  const before = readdirSync(cache);
  expect(run()).toBe("fine\n");
  const [name] = readdirSync(cache).filter((each) => !before.includes(each));
  const folder = join(cache, name);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.mjs$|\.json$/.test(file),
  );
  expect(files.map((file) => basename(file)).sort()).toEqual(["program.mjs", "sources.json"]);
  for (const file of files) {
    for (const text of ["", "5", "null", "{}", '{"name":5,"sources":[null],"files":{}}', '{"name":"\\u0000"}']) {
      writeFileSync(join(folder, file), text);
      expect(run()).toBe("fine\n");
    }
  }
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "in the way");
  expect(run()).toBe("fine\n");
  rmSync(folder);
});

test("an error names the line of the source", () => {
  const program = join(mkdtempSync(join(tmpdir(), "gridgrad-typescript-")), "program.ts");
  writeFileSync(program, "interface Unused {}\n\nfunction fail(): void {\n  throw new Error('no');\n}\nfail();\n");
  const run = () => execFileSync(process.execPath, [runner, program], { cwd: root, stdio: "pipe" });
  expect(run).toThrow(`at fail (${program}:4:9)`);
});

test("processes that compile the same program at the same time do not disturb each other", async () => {
  const program = join(mkdtempSync(join(tmpdir(), "gridgrad-typescript-")), "program.ts");
  writeFileSync(program, "console.log('fine' as string);\n");
  const runs = Array.from({ length: 6 }, () => promisify(execFile)(process.execPath, [runner, program]));
  expect((await Promise.all(runs)).map(({ stdout }) => stdout)).toEqual(Array(6).fill("fine\n"));
});
