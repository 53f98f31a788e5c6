import type { Ladder, LadderResult, LadderStep } from '../../src/model/ladder.ts';
import { isResult, nextStep, type Planned, type SearchOptions } from '../../src/model/next-step.ts';
import { random } from '../../src/rng.ts';

/** A server that a search is made of, without a server. */
export interface Simulated {
  /** Players above which a trial of endless length always fails. */
  readonly knee: number;
  /** Relative standard deviation of that number in a trial of full length; shorter trials vary more. */
  readonly noise: number;
  /** Relative: so much more passes in a short trial, whose queue has no time to grow. */
  readonly shortBias: number;
  /** The share of trials that fail, or have no conclusion, whatever their number is. */
  readonly failing: number;
  readonly invalid: number;
  /** What passes with fewer players had too few answers for that; absent: none has. */
  readonly enough?: number;
}

export const OPTIONS: SearchOptions = {
  ...{ confirm: 5, from: 1000, least: 1, most: 100_000, grain: 1 },
  ...{ shortSeconds: 8, fullSeconds: 30, timeLimitSeconds: 1e9 },
};

export const emptyLadder = (precisionPercent = 5): Ladder => ({
  ...{ schemaVersion: 1, kind: 'search', capbench: '1', scenario: 'simulated', system: 'none' },
  ...{ scenarioHash: 'h', basePlayers: 1000, precisionPercent, seed: 1, sameServer: false, tier: null },
  ...{ startedAt: '2026-11-30T12:00:00.000Z', latencyLimit: null, steps: [], result: null },
  host: { name: 'here', cpuModel: 'a cpu', cpus: 2 },
});

/** A step with what a test says of it. */
export const stepOf = (over: Partial<LadderStep> = {}): LadderStep => ({
  ...{ step: 1, players: 1000, scale: 1, purpose: 'double', seconds: 30, seed: 1, bundle: 'step-01' },
  ...{ outcome: 'pass', exitCode: 0, because: '', brokeFirst: null, ranOut: null, gaveOut: null },
  ...{ tookSeconds: 50, operationsPerSecond: null, latency: null },
  ...over,
});

export const withSteps = (steps: readonly Partial<LadderStep>[], precisionPercent = 5): Ladder => ({
  ...emptyLadder(precisionPercent),
  steps: steps.map((one, i) => stepOf({ step: i + 1, ...one })),
});

/** Standard normal, by Box and Muller. */
const normal = (draw: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());

export function trial(
  { knee, noise, shortBias, failing, invalid }: Simulated,
  { players, seconds }: Planned,
  draw: () => number,
  { fullSeconds }: SearchOptions,
): LadderStep['outcome'] {
  if (draw() < invalid) return 'invalid';
  if (draw() < failing) return 'fail';
  const spread = noise * Math.sqrt(fullSeconds / seconds);
  const bias = seconds < fullSeconds ? shortBias : 0;
  return players <= knee * (1 + bias) * Math.exp(spread * normal(draw)) ? 'pass' : 'fail';
}

/** A whole search. */
export function search(
  server: Simulated,
  seed: number,
  { precisionPercent = 5, ...over }: Partial<SearchOptions> & { readonly precisionPercent?: number } = {},
): { readonly ladder: Ladder; readonly result: LadderResult } {
  const options = { ...OPTIONS, ...over };
  let ladder = emptyLadder(precisionPercent);
  for (;;) {
    const next = nextStep(ladder, options);
    if (isResult(next)) return { ladder, result: next };
    const step = ladder.steps.length + 1;
    const judged = trial(server, next, random(seed, step), options);
    // The limit is sharp: half as long, half as many answers.
    const answers = (next.players * next.seconds) / options.fullSeconds;
    const tooFew = judged === 'pass' && answers < (server.enough ?? 0);
    const outcome = tooFew ? 'invalid' : judged;
    const because = outcome === 'invalid' ? 'a busy neighbour' : '';
    const gaveOut = outcome === 'invalid' && !tooFew ? 'host' : null;
    const one = stepOf({
      ...{ ...next, step, outcome, because, gaveOut, tookSeconds: next.seconds + 15 },
      ...(tooFew ? { tooFew } : {}),
    });
    ladder = { ...ladder, steps: [...ladder.steps, one] };
  }
}
