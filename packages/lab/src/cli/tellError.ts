/** @file The line that tells what is wrong, as every command tells it. */

import type { Io } from "./io.ts";

export function tellError(io: Io, problem: string): void {
  io.error(`${io.paint.error("red", "gridgrad:")} ${problem}`);
}
