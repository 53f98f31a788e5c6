import { type Comparison, compare } from '../../../src/compare/comparison.ts';
import type { Gate } from '../../../src/compare/gate.ts';
import { FEWEST_PAIRS, isPowerful } from '../../../src/compare/next-trial.ts';
import type { Trial } from '../../../src/compare/trial.ts';
import { type Random, random } from '../../../src/rng.ts';

/** A trial of the base, and one of another arm, of the same round. */
export type Pair = readonly [base: Trial, head: Trial];

/** When a drawn decision ends. */
export type Ending =
  /** After so many pairs. */
  | { readonly pairs: number }
  /** As `capbench duet` ends: once it is powerful enough, or after so many pairs. */
  | { readonly mostPairs: number };

/** How decisions came out. */
export interface Rates {
  readonly decisions: number;
  readonly regression: number;
  readonly pass: number;
  readonly inconclusive: number;
  /** Decisions in which some gated metric was ruled better. */
  readonly better: number;
  /** Pairs of a decision, on average. */
  readonly pairs: number;
}

/** Of consecutive rounds: what slows the machine for a minute slows all of a block. */
const BLOCK = 4;

/**
 * Draws decisions from pairs, by blocks of consecutive rounds with replacement (the circular block bootstrap of Politis and
 * Romano, 1992), so that neighbouring pairs stay as alike as they were.
 */
export function drawDecisions(
  pairs: readonly Pair[],
  gate: Gate,
  ending: Ending,
  decisions: number,
  seed: number,
): Rates {
  const next = random(seed);
  const drawn = Array.from({ length: decisions }, () => decide(pairs, gate, ending, next));
  const count = (outcome: Comparison['outcome']): number =>
    drawn.filter((one) => one.comparison.outcome === outcome).length;
  return {
    ...{ decisions, regression: count('regression'), pass: count('pass') },
    inconclusive: count('inconclusive'),
    better: drawn.filter(({ comparison }) =>
      comparison.metrics.some(({ gated, ruling }) => gated && ruling === 'better'),
    ).length,
    pairs: drawn.reduce((sum, one) => sum + one.pairs, 0) / decisions,
  };
}

function decide(pairs: readonly Pair[], gate: Gate, ending: Ending, next: Random) {
  const most = 'pairs' in ending ? ending.pairs : ending.mostPairs;
  const drawn: Pair[] = [];
  while (drawn.length < most) {
    const start = Math.floor(next() * pairs.length);
    for (let i = 0; i < BLOCK && drawn.length < most; i++) {
      const pair = pairs[(start + i) % pairs.length];
      if (pair !== undefined) drawn.push(pair);
      if ('pairs' in ending || drawn.length % 2 === 1 || drawn.length < FEWEST_PAIRS) continue;
      const comparison = compared(drawn, gate);
      if (isPowerful(comparison)) return { comparison, pairs: drawn.length };
    }
  }
  return { comparison: compared(drawn, gate), pairs: drawn.length };
}

/** All pairs as one decision. */
export const compared = (pairs: readonly Pair[], gate: Gate): Comparison =>
  compare(
    { name: 'base', trials: pairs.map(([base]) => base) },
    { name: 'head', trials: pairs.map(([, head]) => head) },
    gate,
    'paired',
  );
