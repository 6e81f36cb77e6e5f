/** @file Every golden case's operation by its PyTorch name: the adapters of all packages in one table. */

import { arithmeticRuns } from "@gridgrad/core/testing/arithmeticRuns";
import type { GoldenRuns } from "@gridgrad/core/testing/golden";
import { dysampleRuns } from "@gridgrad/dysample/testing/dysampleRuns";
import { optimizerRuns } from "@gridgrad/nn/testing";
import { opsRuns } from "@gridgrad/ops/testing";

export const goldenRuns: GoldenRuns = { ...arithmeticRuns, ...opsRuns, ...optimizerRuns, ...dysampleRuns };
