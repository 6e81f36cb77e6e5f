/** @file In front of every test file: makes the devices known that core's tests run on and core itself does not know. */
import "../packages/ops/src/index.ts";
