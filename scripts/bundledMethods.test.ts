import { build } from "esbuild";
import { expect, test } from "vitest";

import { root } from "./findPackages.ts";

test("a bundle of one function has the methods of tensors, whichever it calls", async () => {
  const contents = `
    import { tensor } from "@gridgrad/core";
    export const x = tensor([3, 4]);
    export const sum = () => x.mul(x).sum().item();
  `;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: `${root}/packages/ops` },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  const [{ text }] = outputFiles;
  const { x, sum } = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(text)}`);
  expect(typeof x.mul).toBe("function");
  expect(await sum()).toBe(25);
  expect(String(x)).toBe("Tensor(float32 [2]) [3, 4]");
});
