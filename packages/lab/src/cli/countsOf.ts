/** @file `3 passed, 1 failed`: how many checks have gone how. */

import type { Paint } from "./colours.ts";

export function countsOf(passed: number, failed: number, paint: Paint): string {
  const texts = [`${passed} passed`, `${failed} failed`];
  return failed > 0 ? `${texts[0]}, ${paint("red", texts[1])}` : `${paint("green", texts[0])}, ${texts[1]}`;
}
