/**
 * @file Lets Node load the sources, which are TypeScript, module by module: `node --import ./scripts/typescript.mjs --eval CODE`. A program
 * starts faster by ./run.mjs.
 *
 * The loader, tsx, keeps what it has compiled and runs what it finds there. By itself it keeps it in the temporary folder, under a name
 * that everybody knows, where another user of the machine can put code first. So it is kept in node_modules, which belongs to whoever has
 * installed the packages; where nothing can be written there, nothing is kept, and each start compiles (half as long again).
 */
import { cacheFolder } from "./cache.mjs";

/** What Node takes the temporary folder from: the first one on Linux and macOS, the others on Windows. */
const names = ["TMPDIR", "TEMP", "TMP"];

const loader = import.meta.resolve("tsx");
const cache = cacheFolder();
if (cache !== null) {
  const before = names.map((name) => process.env[name]);
  for (const name of names) process.env[name] = cache;
  await import(loader); // it asks for the temporary folder while it is loaded, and then no more
  names.forEach((name, i) => {
    if (before[i] === undefined) delete process.env[name];
    else process.env[name] = before[i];
  });
} else {
  process.env.TSX_DISABLE_CACHE = "1";
  await import(loader);
}
