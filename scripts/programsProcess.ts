/**
 * @file The process in which runPrograms runs programs, one after the other: each has the device to itself that it would have in a process
 * of its own, and prints into a text.
 *
 *     node programsProcess.mjs URL...
 */

import { Console } from "node:console";
import { Writable } from "node:stream";
import { getDevice, setDevice } from "gridgrad";

export interface Outcome {
  readonly printed: string;
  /** What was thrown, and where; `null` where the program ran to its end. */
  readonly error: string | null;
}

async function run(url: string): Promise<Outcome> {
  let printed = "";
  const sink = new Writable({
    write(chunk, _encoding, done) {
      printed += String(chunk);
      done();
    },
  });
  const before = globalThis.console;
  globalThis.console = new Console(sink);
  const device = setDevice("cpu");
  try {
    await import(url);
    return { printed, error: null };
  } catch (error) {
    return { printed, error: error instanceof Error ? String(error.stack) : String(error) };
  } finally {
    globalThis.console = before;
    await device.close?.();
    if (getDevice() !== device) await getDevice().close?.();
  }
}

const outcomes: Outcome[] = [];
for (const url of process.argv.slice(2)) outcomes.push(await run(url));
process.stdout.write(JSON.stringify(outcomes), () => process.exit());
