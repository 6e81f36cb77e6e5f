/** @file Brings the engine of the `cpu` device with the package: in Node nobody waits for its bytes, and eager mode needs it at once. */

import { provideCpuEngine } from "./cpuDevice.ts";
import * as cpuEngine from "./cpuEngine.ts";

provideCpuEngine(cpuEngine);
