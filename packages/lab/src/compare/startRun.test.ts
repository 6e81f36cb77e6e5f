import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeAll, beforeEach, expect, test } from "vitest";

import { hasTier } from "@gridgrad/core/testing/tier";
import { resolveConfig } from "@gridgrad/dysample";

import { startRun } from "./startRun.ts";

const typescript = new URL("../../../../scripts/typescript.mjs", import.meta.url).href;

const config = resolveConfig({
  upsampler: "bilinear",
  steps: 6,
  batch: 1,
  warmup: 2,
  evalImages: 2,
  checkpointEvery: 2,
});

let base: string;
let undisturbed: Buffer;

const order = (name: string, own = config) => ({ config: own, path: join(base, name), threads: 1 });
/** As the kernel does when memory is short: the one process that runs runProcess.ts for this one. */
const killChild = () => {
  const list = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(process.pid)], { encoding: "utf8" });
  for (const line of list.split("\n")) if (line.includes("runProcess.ts")) process.kill(parseInt(line), "SIGKILL");
};

const weights = (name: string) => readFile(join(base, name, "weights.safetensors"));

beforeAll(async () => {
  if (!hasTier("ci")) return; // no test needs it
  base = await mkdtemp(join(tmpdir(), "gridgrad-run-"));
  expect(await startRun(order("undisturbed"))).toEqual({ status: "complete" });
  undisturbed = await weights("undisturbed");
});

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gridgrad-run-"));
});

test.runIf(hasTier("ci"))(
  "a run that was stopped goes on to the same bits, and one that is complete answers at once",
  async () => {
    const stop = new AbortController();
    const onProgress = ({ step }: { step: number }) => step === 1 && stop.abort();
    const outcome = await startRun(order("run"), { signal: stop.signal, onProgress });
    expect(outcome).toMatchObject({ status: "stopped" });
    const starts: number[] = [];
    const onStart = (done: number) => starts.push(done);
    expect(await startRun(order("run"), { onStart })).toEqual({ status: "complete" });
    expect(starts).toEqual([(outcome as { step: number }).step]);
    expect((await weights("run")).equals(undisturbed)).toBe(true);
    expect(await startRun(order("run"), { onStart })).toEqual({ status: "complete" });
    expect(starts).toHaveLength(1);
  },
);

test.runIf(hasTier("ci"))(
  "a run whose process was killed may be tried again, and ends with the same bits",
  async () => {
    const outcome = await startRun(order("run"), {
      onCheckpoint: (step) => step === 2 && killChild(),
    });
    expect(outcome).toEqual({ status: "failed", message: "its process was ended by SIGKILL", retry: true });
    expect(await startRun(order("run"))).toEqual({ status: "complete" });
    expect((await weights("run")).equals(undisturbed)).toBe(true);
  },
);

test.runIf(hasTier("ci"))("a learning rate that leads to NaN fails for good", async () => {
  const outcome = await startRun(order("run", resolveConfig({ ...config, lr: 1e30, warmup: 0 })));
  expect(outcome).toMatchObject({ status: "failed", retry: false });
  expect((outcome as { message: string }).message).toMatch(/^step \d: gradients must be finite/);
});

test.runIf(hasTier("ci"))("a run whose parent is gone writes its checkpoint and ends", async () => {
  const long = order("run", resolveConfig({ ...config, steps: 5000, checkpointEvery: 5000 }));
  const module = new URL("startRun.ts", import.meta.url).href;
  const script = `import { startRun } from ${JSON.stringify(module)};
    await startRun(${JSON.stringify(long)}, { onProgress: () => console.log("progress") });`;
  const parent = spawn(process.execPath, ["--import", typescript, "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  parent.stdout.once("data", () => parent.kill("SIGKILL"));
  await once(parent, "close"); // the run writes into the same pipe, so it has ended, too
  const files = await readdir(join(base, "run"));
  expect(files).toContain("checkpoint.safetensors");
  expect(files).not.toContain("result.json");
});
