/** @file A contestant's own process: it answers requests one after the other, and measures itself. */

import { createInterface } from "node:readline";

import { type Answer, readTensors, type Request, writeTensors } from "./protocol.ts";
import type { Contestant, Prepared } from "./task.ts";

/** Answers until the standard input ends. */
export async function serve(open: () => Promise<Contestant>): Promise<void> {
  // Libraries print as they like; the standard output is for answers.
  console.log = console.info = console.warn = console.error;
  const answer = (line: Answer): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
  let contestant: Contestant;
  try {
    contestant = await open();
  } catch (error) {
    answer({ error: (error as Error).message });
    return;
  }
  answer({ version: contestant.version, threads: contestant.threads });
  let prepared: Prepared | null = null;
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      const request = JSON.parse(line) as Request;
      if (request.do === "run") {
        if (!prepared) throw new Error("internal: serve: run must come after prepare");
        answer(await timeRuns(prepared, request));
        continue;
      }
      prepared?.release();
      prepared = null;
      if (request.do === "release") {
        answer({});
        continue;
      }
      const made = await contestant.prepare(request.task, readTensors(request.inputs));
      if (typeof made === "string") {
        answer({ lacks: made });
      } else {
        prepared = made;
        answer({ outputs: writeTensors(request.folder, `${process.pid}.out`, await made.outputs()) });
      }
    } catch (error) {
      answer({ error: (error as Error).stack ?? String(error) });
    }
  }
  await contestant.close();
}

/** The clock stops when the result is there; freeing it and what the collector wants come after it. */
export async function timeRuns(prepared: Prepared, { ms, least }: { ms: number; least: number }): Promise<Answer> {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const begin = performance.now();
  while (times.length < least || performance.now() - begin < ms) {
    const start = performance.now();
    const free = await prepared.run();
    times.push(performance.now() - start);
    free();
    await turnOfTheLoop(); // finalizers run between tasks only
  }
  const { user, system } = process.cpuUsage(cpu);
  return { ms: times, cpuMs: (user + system) / 1000 };
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
