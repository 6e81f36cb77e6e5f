/** @file Who takes part, as which process, and what to do where one is missing. */

import { fileURLToPath } from "node:url";

import { Child, type ChildCommand } from "./child.ts";
import { findPython } from "./findPython.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
/** Runs a file of the sources: `node runner FILE`. */
export const runner = fileURLToPath(new URL("../../../../scripts/run.mjs", import.meta.url));
const nodeProgram = fileURLToPath(new URL("contestantProcess.ts", import.meta.url));
const torchProgram = fileURLToPath(new URL("../../torch_peer.py", import.meta.url));

/** A process of this Node. */
export function nodeContestant(name: string, threads: number): ChildCommand {
  return {
    name: name.replace("gridgrad:", "gridgrad "),
    command: process.execPath,
    args: [runner, nodeProgram, name, String(threads)],
    cwd: root,
    env: { ...process.env, GRIDGRAD_THREADS: String(threads) },
  };
}

/** Whether OpenMP's threads sleep (`passive`) between two parallel loops, or look for work for a while, as they do when it is unset. */
export type WaitPolicy = "unset" | "passive";

export function torchContestant(threads: number, policy: WaitPolicy): ChildCommand {
  const { OMP_WAIT_POLICY: _, ...env } = process.env;
  if (policy === "passive") env.OMP_WAIT_POLICY = policy;
  const count = String(threads);
  return {
    name: "PyTorch",
    command: findPython(),
    args: ["-u", torchProgram, count],
    cwd: root,
    env: { ...env, OMP_NUM_THREADS: count, MKL_NUM_THREADS: count },
  };
}

/** The peers by the names of the options that leave them out. */
export const peerNames = {
  torch: ["PyTorch"],
  tfjs: ["tfjs-wasm", "tfjs-cpu"],
  jax: ["jax-js"],
  onnxruntime: ["onnxruntime"],
} as const;

/** Starts one that may be missing; tells why it does not take part. */
export async function startIfThere(make: () => ChildCommand, missing: (why: string) => void): Promise<Child | null> {
  try {
    return await Child.start(make());
  } catch (error) {
    missing((error as Error).message);
    return null;
  }
}

/**
 * PyTorch with the policy that makes it faster here. Threads that look for work save the time of waking up, but where others use the
 * same cores they wait for each other, up to a hundred times longer.
 *
 * @param trial - how long some work takes on a contestant, in milliseconds.
 */
export async function startTorch(threads: number, trial: (child: Child) => Promise<number>): Promise<Child> {
  if (threads === 1) return Child.start(torchContestant(1, "unset")); // nobody waits for anybody
  const [unset, passive] = [
    await Child.start(torchContestant(threads, "unset")),
    await Child.start(torchContestant(threads, "passive")),
  ];
  const times = [Infinity, Infinity];
  for (let turn = 0; turn < 3; turn++) {
    times[0] = Math.min(times[0], await trial(unset));
    times[1] = Math.min(times[1], await trial(passive));
  }
  const [faster, slower] = times[1] <= times[0] ? [passive, unset] : [unset, passive];
  await slower.close();
  return faster;
}
