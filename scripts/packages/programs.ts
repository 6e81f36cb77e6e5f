/** @file Programs and pages of users, and how each bundler is told to bundle a page. */

/** Opens every door, as TypeScript. */
export const typeProgram = `
import { CpuDevice, DySample, type DySampleOptions, grad, gridSample, nn, setDevice, tensor, type Tensor, version } from "gridgrad";
import { comparisonOf, type ComparisonOutcome, runComparison } from "gridgrad/lab";
import { loadWeights, readPng, saveWeights, train } from "gridgrad/node";
import { Tensor as CoreTensor } from "@gridgrad/core";
import { createUpsampler, upsamplerNames } from "@gridgrad/dysample";
import { decodePng } from "@gridgrad/dysample/node";
import { Conv2d, Module } from "@gridgrad/nn";
import { saveWeights as save } from "@gridgrad/nn/node";
import { conv2d } from "@gridgrad/ops";
import { inlineKernels } from "@gridgrad/ops/inlineKernels";

class Net extends nn.Module {
  conv = new nn.Conv2d(3, 8, 3, { padding: 1 });
  up = new DySample(8, { groups: 2 } satisfies DySampleOptions);
  forward(x: Tensor): Tensor {
    return this.up.forward(this.conv.forward(x));
  }
}

export async function main(): Promise<number> {
  setDevice(new CpuDevice({ threads: 1 }));
  const net = new Net();
  const x: CoreTensor = tensor([1, 2, 3], [1, 3, 1, 1]);
  const [dx] = grad(net.forward(x).sum(), [x]);
  const read = gridSample(x, tensor([[[[0, 0]]]]), { paddingMode: "border" });
  await saveWeights("w.safetensors", net);
  await loadWeights("w.safetensors", net);
  const module: Module = createUpsampler(upsamplerNames[0]!, 8) as unknown as Module;
  const outcome: ComparisonOutcome = await runComparison(
    comparisonOf({ upsamplers: ["nearest"], seeds: [0], config: { steps: 1 } }),
    "runs/one",
  );
  return (await dx!.item()) + (await read.item()) + version.length + outcome.status.length + module.parameterCount;
}

// @ts-expect-error: types that are missing would be any, which allows everything.
export const wrong: string = tensor([1]);

export const used = [readPng, train, decodePng, Conv2d, save, conv2d, inlineKernels];
`;

/** A page that trains, and shows the losses as its title. */
export function pages(program: string, devices: readonly string[]): Record<string, string> {
  return {
    "package.json": '{ "type": "module" }',
    "trainStep.mjs": program,
    "page.mjs": `import { trainStep } from "./trainStep.mjs";
trainStep(${JSON.stringify(devices)}).then(
  (losses) => (document.title = JSON.stringify(losses)),
  (error) => (document.title = "failed: " + error.message),
);
`,
    "index.html": '<!doctype html><title>under way</title><script type="module" src="/page.mjs"></script>\n',
    // Where a bundler makes the script alone.
    "dist/index.html": '<!doctype html><title>under way</title><script type="module" src="/page.js"></script>\n',
  };
}

export interface Bundler {
  /** Its configuration. @param modules - the folder of the tools. */
  files(modules: string): Record<string, string>;
  /** A file of JavaScript, and its arguments. */
  command(modules: string): string[];
  /** It serves the page and goes on, with \`--port\`. */
  readonly server?: boolean;
}

const none = (): Record<string, string> => ({});

export const bundlers: Readonly<Record<string, Bundler>> = {
  "vite build": {
    files: none,
    command: (modules) => [`${modules}/vite/bin/vite.js`, "build", "--logLevel", "warn"],
  },
  "vite dev": {
    files: none,
    command: (modules) => [`${modules}/vite/bin/vite.js`, "--host", "127.0.0.1", "--strictPort", "--logLevel", "warn"],
    server: true,
  },
  webpack: {
    files: () => ({
      "webpack.config.cjs": `module.exports = {
  mode: "production", entry: "./page.mjs", experiments: { outputModule: true },
  output: { path: __dirname + "/dist", filename: "page.js", module: true, publicPath: "/" }, performance: { hints: false },
};
`,
    }),
    command: (modules) => [`${modules}/webpack-cli/bin/cli.js`, "--config", "webpack.config.cjs"],
  },
  rollup: {
    files: (modules) => ({
      "rollup.config.mjs": `import resolve from ${JSON.stringify(`${modules}/@rollup/plugin-node-resolve/dist/es/index.js`)};
export default { input: "page.mjs", output: { dir: "dist", entryFileNames: "page.js" }, plugins: [resolve({ browser: true })] };
`,
    }),
    command: (modules) => [`${modules}/rollup/dist/bin/rollup`, "-c", "rollup.config.mjs"],
  },
  "esbuild minified": {
    files: (modules) => ({
      "build.mjs": `import { build } from ${JSON.stringify(`${modules}/esbuild/lib/main.js`)};
await build({ entryPoints: ["page.mjs"], bundle: true, minify: true, splitting: true, format: "esm", outdir: "dist" });
`,
    }),
    command: () => ["build.mjs"],
  },
};
