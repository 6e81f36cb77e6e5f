/**
 * @file @gridgrad/core/testing: gradient checks, arbitraries and golden cases, for our tests and for yours.
 * `describeOp`, which needs vitest, and `goldenFiles`, which needs Node, are imported from their own paths.
 */

export { broadcasting, dims, integers, reals, type ShapeOptions, shapes } from "./arbitraries.ts";
export { checkFinite } from "./checkFinite.ts";
export { type FiniteException, finiteExceptions, keepsFinite } from "./finiteExceptions.ts";
export {
  checkGradients,
  compareGradients,
  dot,
  type GradientCheck,
  type GradientCheckOptions,
} from "./checkGradients.ts";
export {
  checkGolden,
  GoldenAttrs,
  type GoldenCase,
  type GoldenInputs,
  type GoldenResult,
  type GoldenRun,
  type GoldenRuns,
  type GoldenTolerance,
  optionalInput,
  parseGolden,
} from "./golden.ts";
export { type Placement, placements } from "./specialValues.ts";
export { differenceStep, float32Limit, float64GoldenLimit, gradientTolerance, u32, u64 } from "./tolerance.ts";
