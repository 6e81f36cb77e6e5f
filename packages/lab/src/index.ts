/** @file The public surface of @gridgrad/lab: comparisons of upsamplers, as functions. The command `gridgrad` prints what they tell. */

export { type AblationName, ablationNames, ablations } from "./compare/ablations.ts";
export { type Comparison, type Contestant, type Run, runPath, runsOf } from "./compare/comparison.ts";
export { ComparisonFolder, ComparisonFolderError } from "./compare/comparisonFolder.ts";
export { comparisonOf } from "./compare/comparisonOf.ts";
export { type ComparisonResults, type ContestantResults, type Spread, spreadOf } from "./compare/results.ts";
export type { RunOutcome } from "./compare/startRun.ts";
export {
  type ComparisonBeginning,
  type ComparisonEvents,
  type ComparisonOutcome,
  runComparison,
  type RunComparisonOptions,
} from "./runComparison.ts";
