/** @file @gridgrad/nn/testing: how to run PyTorch's golden cases of what this package has. */

export { optimizerRuns } from "./optimizerRuns.ts";
