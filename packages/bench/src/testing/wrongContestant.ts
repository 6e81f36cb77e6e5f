/** @file A contestant for tests: its exponential function is one too large, and a sum takes its process down. */

import { serve } from "../peers/serve.ts";

await serve(async () => ({
  version: "0",
  threads: "1",
  async prepare({ work }, { x }) {
    if (work === "sum") {
      process.stderr.write("out of memory\n");
      process.exit(3);
    }
    const y = { shape: x.shape, values: Float32Array.from(x.values, (value) => Math.exp(value) + 1) };
    return { outputs: async () => ({ y }), run: () => () => {}, release() {} };
  },
  close() {},
}));
