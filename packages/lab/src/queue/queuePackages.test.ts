import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { QueueError } from "./queueError.ts";
import { howToInstall, loadQueuePackage, queuePackages } from "./queuePackages.ts";

/** What Node says of a package that is not there. */
const missing = (name: string) => async () => {
  const message = `Cannot find package '${name}' imported from /program/gridgrad.js`;
  throw Object.assign(new Error(message), { code: "ERR_MODULE_NOT_FOUND" });
};

test("the packages are those of the catalog", async () => {
  const catalog = await readFile(new URL("../../../../pnpm-workspace.yaml", import.meta.url), "utf8");
  for (const [name, major] of Object.entries(queuePackages)) {
    expect(catalog).toMatch(new RegExp(`^  ${name}: \\^${major}\\.`, "m"));
  }
});

test("a package is that of the program, else that of the folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gridgrad-packages-"));
  const place = join(folder, "node_modules", "ioredis");
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "package.json"), '{ "name": "ioredis", "main": "index.js" }');
  await writeFile(join(place, "index.js"), 'exports.Redis = "of the folder";');
  expect(await loadQueuePackage("ioredis", missing("ioredis"), folder)).toEqual({ Redis: "of the folder" });
  const own = async () => ({ Redis: "of the program" });
  expect(await loadQueuePackage("ioredis", own, folder)).toEqual({ Redis: "of the program" });
});

test("where it is in neither, the error says how to install it", async () => {
  const name = "nobody-has-this"; // the runner of the tests finds those of the workspace from any folder
  await expect(loadQueuePackage(name, missing(name))).rejects.toThrowErrorMatchingInlineSnapshot(
    `[QueueError: a queue must have the packages bullmq and ioredis, but nobody-has-this is not installed; install both: npm install bullmq@6 ioredis@5]`,
  );
  await expect(loadQueuePackage(name, missing(name))).rejects.toBeInstanceOf(QueueError);
});

test("a package that is there and lacks another one is another error", async () => {
  await expect(loadQueuePackage("bullmq", missing("msgpackr"))).rejects.toThrow("Cannot find package 'msgpackr'");
  const broken = async () => {
    throw new SyntaxError("Unexpected token");
  };
  await expect(loadQueuePackage("bullmq", broken)).rejects.toThrow("Unexpected token");
});

test("the command fits the place of the program", async () => {
  const project = await mkdtemp(join(tmpdir(), "gridgrad-project-"));
  await writeFile(join(project, "package.json"), "{}");
  const prefix = await mkdtemp(join(tmpdir(), "gridgrad-prefix-"));
  const inside = ["node_modules", "gridgrad", "dist", "bin", "gridgrad.js"];
  const places = [
    join(project, ...inside),
    join(prefix, "lib", ...inside),
    join("/home/me/.npm/_npx/0123456789abcdef", ...inside),
    join("/home/me/project/node_modules/.pnpm/gridgrad@0.1.0", ...inside),
    join("/home/me/.local/share/pnpm/global/5/.pnpm/gridgrad@0.1.0", ...inside),
    "/home/me/gridgrad/packages/lab/src/cli/gridgrad.ts",
  ];
  expect(places.map(howToInstall)).toMatchInlineSnapshot(`
    [
      "install both: npm install bullmq@6 ioredis@5",
      "install both: npm install -g bullmq@6 ioredis@5",
      "start it with them: npx -p gridgrad -p bullmq@6 -p ioredis@5 gridgrad ..., and the same options",
      "install both: pnpm add bullmq@6 ioredis@5",
      "install both: pnpm add -g bullmq@6 ioredis@5",
      "install both: npm install bullmq@6 ioredis@5",
    ]
  `);
});
