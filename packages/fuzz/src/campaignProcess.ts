/**
 * @file The process of a campaign, which fuzz.ts watches. Before each case it writes down which one it is: should the process hang or
 * end in the middle, then that is known.
 */

import { writeSync } from "node:fs";

import { openKinds } from "./allKinds.ts";
import { runCampaign } from "./campaign.ts";
import { readOptions } from "./options.ts";
import { resultLine, showFinding } from "./report.ts";

/** The place for the number of the case, which fuzz.ts opens for this process behind the usual three. */
const progress = 3;

const options = readOptions(process.argv.slice(2), () => {
  throw new Error("internal: fuzz: the seed is to be chosen before");
});
const kinds = openKinds(options.only)!;
const { cases, findings } = await runCampaign(kinds, {
  ...options,
  onCase: ({ name }, index, tries) => void writeSync(progress, `${name} ${index} ${tries}`.padEnd(40), 0),
  onFinding: ({ kind, index, fault }) => console.error(`${kind} ${index}: ${fault}`), // those who watch a long campaign learn it now
});
for (const finding of findings) console.log(`\n${showFinding(finding, options)}`);
if (findings.length > 0) console.log();
console.log(resultLine(cases, findings, options));
for (const kind of kinds) await kind.close?.();
process.exitCode = findings.length > 0 && !options.warn ? 1 : 0;
