/** @file Every golden case's operation by its PyTorch name: the adapters of all packages in one table. */

import { arithmeticRuns } from "@gridgrad/core/testing/arithmeticRuns";
import type { GoldenRuns } from "@gridgrad/core/testing/golden";
import { optimizerRuns } from "@gridgrad/nn/testing";
import { opsRuns } from "@gridgrad/ops/testing";

import { dysampleRuns } from "../testing/dysampleRuns.ts";

export const goldenRuns: GoldenRuns = { ...arithmeticRuns, ...opsRuns, ...optimizerRuns, ...dysampleRuns };
