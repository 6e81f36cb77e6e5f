/** @file @gridgrad/ops/testing: how to run PyTorch's golden cases of this package's ops. */

import type { GoldenRuns } from "@gridgrad/core/testing";

import { convRuns } from "./convRuns.ts";
import { networkRuns } from "./networkRuns.ts";
import { sampleRuns } from "./sampleRuns.ts";

export { convRuns, networkRuns, sampleRuns };

/** The adapters of all ops by the operation's PyTorch name. */
export const opsRuns: GoldenRuns = { ...convRuns, ...networkRuns, ...sampleRuns };
