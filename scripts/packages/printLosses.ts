/** @file Prints what the sources give for the training steps of `npm run check:packages`, on the devices that it is given. */

import { trainStep } from "./trainStep.mjs";

console.log(JSON.stringify(await trainStep(process.argv.slice(2))));
process.exit();
