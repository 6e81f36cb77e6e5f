/** @file One case of a kind, from its seed to the smallest case that has the same fault. */

import fc from "fast-check";

import { type Kind, Wrong } from "./kind.ts";

/** Which case it is. */
export interface CaseId {
  readonly seed: number;
  readonly index: number;
  /** Leads to a smaller case with the same fault, as fast-check writes it. */
  readonly path?: string;
}

/** A case for which something does not hold. */
export interface Failure {
  readonly fault: string;
  readonly message: string;
  readonly input: string;
  readonly path?: string;
}

/** Runs a case; `null` if all holds. */
export async function checkCase(kind: Kind, id: CaseId): Promise<Failure | null> {
  const { path } = id;
  const details = await fc.check(
    fc.asyncProperty(fc.gen(), async (draw) => {
      await kind.check(draw);
    }),
    { ...parametersOf(kind, id), endOnFailure: true, ...(path === undefined ? {} : { path }) },
  );
  return details.failed ? { ...failureOf(details.errorInstance), path } : null;
}

/** The smallest case with the fault of `failure` that can be found from the case `id`. */
export async function shrinkCase(
  kind: Kind,
  id: CaseId,
  failure: Failure,
  onTry: (tries: number) => void = () => {},
): Promise<Failure> {
  const { mostTries = 600 } = kind;
  let tries = 0;
  const details = await fc.check(
    fc.asyncProperty(fc.gen(), async (draw) => {
      if (++tries > mostTries) return;
      onTry(tries);
      try {
        await kind.check(draw);
      } catch (error) {
        if (failureOf(error).fault === failure.fault) throw error; // another fault is another finding
      }
    }),
    parametersOf(kind, id),
  );
  if (!details.failed) return failure; // it does not happen again: what is known of it must do
  return { ...failureOf(details.errorInstance), path: details.counterexamplePath ?? undefined };
}

function parametersOf(kind: Kind, { seed, index }: CaseId): fc.Parameters<[fc.GeneratorValue]> {
  return { seed: seedOf(kind.name, seed, index), numRuns: 1, unbiased: true };
}

/** Cases know nothing of each other, so that each can be run alone. FNV-1a, a hash of a few bytes. */
function seedOf(name: string, seed: number, index: number): number {
  let hash = 0x811c9dc5; // the constants of FNV-1a for 32 bits
  for (const letter of `${name} ${seed} ${index}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return hash | 0;
}

function failureOf(error: unknown): Failure {
  if (error instanceof Wrong) return { fault: error.fault, message: error.message, input: error.input };
  // An error that no check has foreseen. Numbers in it differ from case to case.
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const fault = `${name}: ${message.split("\n")[0].replace(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, "0")}`;
  return { fault, message: stack ?? message, input: "unknown: the case itself has failed" };
}
