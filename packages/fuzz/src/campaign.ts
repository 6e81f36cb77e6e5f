/** @file A campaign: cases of several kinds in turn, until the time is up or there were as many as wanted. */

import { checkCase, type Failure, shrinkCase } from "./checkCase.ts";
import type { Kind } from "./kind.ts";

export interface CampaignOptions {
  readonly seed: number;
  /** The first case of each kind. Default 0. */
  readonly from?: number;
  /** Cases of each kind. Default: as many as the time allows. */
  readonly cases?: number;
  /** Default: no limit. */
  readonly seconds?: number;
  /** Runs a case that was made smaller, in place of the one that it came from. */
  readonly path?: string;
  /** Told of each case before it runs, and of each try to make one smaller. */
  readonly onCase?: (kind: Kind, index: number, tries: number) => void;
  /** Told of each finding as soon as it has been made small. */
  readonly onFinding?: (finding: Finding) => void;
}

/** A fault, with the smallest case that shows it. */
export interface Finding extends Failure {
  readonly kind: string;
  readonly index: number;
  /** Cases that have the same fault. */
  times: number;
}

export interface CampaignResult {
  /** Cases by kind. */
  readonly cases: ReadonlyMap<Kind, number>;
  /** By size, smallest first. */
  readonly findings: readonly Finding[];
}

/** Runs a campaign. Which cases there are depends on the seed alone; the time says only how many of them run. */
export async function runCampaign(kinds: readonly Kind[], options: CampaignOptions): Promise<CampaignResult> {
  const { seed, from = 0, cases = Infinity, seconds = Infinity, path, onCase, onFinding } = options;
  const end = performance.now() + seconds * 1000;
  const lines = kinds.map((kind) => ({ kind, done: 0, ms: 0 }));
  const findings = new Map<string, Finding>();
  while (performance.now() < end) {
    const open = lines.filter(({ done }) => done < cases);
    if (open.length === 0) break;
    const next = open.reduce((a, b) => (b.ms / b.kind.share < a.ms / a.kind.share ? b : a)); // has had the least of its part
    const { kind, done } = next;
    const index = from + done;
    onCase?.(kind, index, 0);
    const start = performance.now();
    const failure = await checkCase(kind, { seed, index, path });
    next.ms += performance.now() - start;
    next.done++;
    if (failure === null) continue;
    const known = findings.get(`${kind.name} ${failure.fault}`);
    if (known) known.times++;
    else {
      const shrink = (): Promise<Failure> =>
        shrinkCase(kind, { seed, index }, failure, (tries) => onCase?.(kind, index, tries));
      const smallest = path === undefined ? await shrink() : failure;
      const finding = { ...smallest, kind: kind.name, index, times: 1 };
      findings.set(`${kind.name} ${failure.fault}`, finding);
      onFinding?.(finding);
    }
  }
  return {
    cases: new Map(lines.map(({ kind, done }) => [kind, done])),
    findings: [...findings.values()].sort((a, b) => a.input.length - b.input.length),
  };
}
