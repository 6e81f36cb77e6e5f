#!/usr/bin/env node
/** @file The program `gridgrad`. */

import { runProcess } from "./process.ts";
import { main } from "./program.ts";

await runProcess((io) => main(process.argv.slice(2), io));
