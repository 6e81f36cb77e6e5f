/**
 * @file How many random cases a property meets: few in the ordinary tests, more when somebody asks.
 */

const world = globalThis as { process?: { env?: Record<string, string | undefined> } }; // a browser has no process
const factor = Number(world.process?.env?.["GRIDGRAD_TEST_RUNS"] ?? 1);

/** `runs`, times GRIDGRAD_TEST_RUNS where that is set: 1000 lets a check of 2 runs meet 2000 cases. */
export function testRuns(runs: number): number {
  return Math.ceil(runs * factor);
}
