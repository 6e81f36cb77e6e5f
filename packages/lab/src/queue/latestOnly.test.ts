import { expect, test } from "vitest";

import { LatestOnly } from "./latestOnly.ts";

/** A task that ends when it is told to. */
function slowTask() {
  const log: string[] = [];
  const endings: (() => void)[] = [];
  const task = async (name: string) => {
    log.push(`${name} begins`);
    await new Promise<void>((resolve) => endings.push(resolve));
    if (name === "bad") throw new Error("it went wrong");
    log.push(`${name} ends`);
  };
  const latest = new LatestOnly(task, ({ message }) => log.push(message));
  const endOne = async () => {
    endings.shift()!();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { latest, log, endOne };
}

test("of those asked for while one is under way, the newest is done, and after it", async () => {
  const { latest, log, endOne } = slowTask();
  for (const name of ["a", "b", "c"]) latest.ask(name);
  expect(log).toEqual(["a begins"]);
  await endOne();
  await endOne();
  expect(log).toEqual(["a begins", "a ends", "c begins", "c ends"]);
  latest.ask("d");
  expect(log.at(-1)).toBe("d begins");
});

test("a failure is told, and the next one is done", async () => {
  const { latest, log, endOne } = slowTask();
  latest.ask("bad");
  latest.ask("good");
  await endOne();
  await endOne();
  expect(log).toEqual(["bad begins", "it went wrong", "good begins", "good ends"]);
});

test("the end waits for the one under way, and for no other", async () => {
  const { latest, log, endOne } = slowTask();
  await latest.end();
  latest.ask("a");
  latest.ask("b");
  const ended = latest.end().then(() => log.push("end"));
  await new Promise((resolve) => setTimeout(resolve));
  expect(log).toEqual(["a begins"]);
  await endOne();
  await ended;
  expect(log).toEqual(["a begins", "a ends", "end"]);
});
