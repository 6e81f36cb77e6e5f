/** @file What a campaign tries: kinds of cases, each of which draws one at random and judges it. */

import type { Draw } from "./draw.ts";

export interface Kind {
  /** As `--only` names it. */
  readonly name: string;
  /** What one case is, in the plural: `files`. */
  readonly unit: string;
  /** Its part of the time, beside that of the others. */
  readonly share: number;
  /** Cases that are tried at most to make a failing one smaller. Default 600. */
  readonly mostTries?: number;
  /** What the line of results says besides the number of cases, such as the devices. */
  readonly note?: string;
  /**
   * Draws one case and judges it. The same draws must lead to the same judgement.
   *
   * @throws {Wrong} when something does not hold.
   */
  check(draw: Draw): void | Promise<void>;
  /** Ends what the cases have shared. */
  close?(): void | Promise<void>;
}

/** What does not hold for a case. */
export class Wrong extends Error {
  override name = "Wrong";
  /** What is wrong, without the numbers of the case: cases of one fault share it, and only the smallest of them is told. */
  readonly fault: string;
  /** The case as a person reads it. */
  readonly input: string;

  constructor(fault: string, message: string, input: string) {
    super(message);
    this.fault = fault;
    this.input = input;
  }
}
