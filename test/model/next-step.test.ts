import { describe, expect, test } from 'vitest';
import type { LadderStep } from '../../src/model/ladder.ts';
import { isResult, nextStep, type SearchOptions, standing } from '../../src/model/next-step.ts';
import { OPTIONS, search, stepOf, withSteps } from './simulated.ts';

const full = OPTIONS.fullSeconds;
const short = OPTIONS.shortSeconds;
const following = (
  steps: readonly Partial<LadderStep>[],
  over: Partial<SearchOptions> = {},
): ReturnType<typeof nextStep> => nextStep(withSteps(steps), { ...OPTIONS, ...over });

const QUIET = { noise: 0.01, shortBias: 0, failing: 0, invalid: 0 };

describe('searches of simulated servers', () => {
  const SEARCHES = 500;
  const kneeOf = (seed: number): number => Math.round(100 * 200 ** ((seed % 97) / 97));
  const quiet = QUIET;
  test.each([
    ['a sharp knee, precision 2%', { ...quiet, noise: 0.002 }, 2, 30, 600],
    ['noise of 1%', quiet, 5, 30, 600],
    [
      'noise of 2%, short trials that pass more, failures and trials without a conclusion',
      { noise: 0.02, shortBias: 0.05, failing: 0.01, invalid: 0.03 },
      5,
      45,
      1200,
    ],
    ['short trials that pass far too much', { ...quiet, shortBias: 0.3 }, 5, 40, 900],
    ['short trials that fail far too early', { ...quiet, shortBias: -0.2 }, 5, 40, 900],
  ])(
    '%s: never more than the precision above the knee, seldom far below, in bounded time',
    (_, server, precisionPercent, mostSteps, mostSeconds) => {
      const all = Array.from({ length: SEARCHES }, (__, seed) => ({
        knee: kneeOf(seed),
        ...search({ ...server, knee: kneeOf(seed) }, seed, { precisionPercent }),
      }));
      const stated = all.map(({ knee, result }) => (result.found ? result.players / knee - 1 : Number.NaN));
      const precision = precisionPercent / 100;
      expect(stated.filter(Number.isNaN)).toEqual([]);
      expect(stated.filter((beyond) => beyond > precision)).toEqual([]);
      expect(stated.filter((beyond) => beyond >= -3 * precision).length).toBeGreaterThan(0.9 * SEARCHES);
      for (const { ladder, result } of all) {
        expect(ladder.steps.length).toBeLessThanOrEqual(mostSteps);
        expect(ladder.steps.reduce((sum, { seconds }) => sum + seconds, 0)).toBeLessThanOrEqual(mostSeconds);
        if (!result.found) throw new Error('not found');
        expect(result.lastPass).toBeLessThan(result.firstFail);
        expect(result.confirmed).toEqual({ passed: 5, of: 5 });
      }
    },
  );

  test('the last pass and the first fail are as near as the precision when nothing contradicts it', () => {
    for (let seed = 0; seed < 97; seed++) {
      const { result } = search({ ...quiet, noise: 0, knee: kneeOf(seed) }, seed);
      if (!result.found) throw new Error('not found');
      expect(result.lastPass).toBeLessThanOrEqual(kneeOf(seed));
      expect(result.firstFail).toBeGreaterThan(kneeOf(seed));
      expect(result.firstFail - result.lastPass).toBeLessThanOrEqual(Math.max(1, 0.05 * result.lastPass));
    }
  });

  test('a search that is resumed after any of its steps takes the same next one', () => {
    const server = { ...quiet, noise: 0.02, invalid: 0.05, knee: 3210 };
    const { ladder } = search(server, 7);
    for (const [i, step] of ladder.steps.entries()) {
      const read = JSON.parse(JSON.stringify({ ...ladder, steps: ladder.steps.slice(0, i) }));
      expect(nextStep(read, OPTIONS)).toMatchObject({
        ...{ players: step.players, seconds: step.seconds, purpose: step.purpose },
      });
    }
  });

  test('players who play in pairs: every step has an even number of them', () => {
    const { ladder, result } = search({ ...quiet, noise: 0, knee: 37 }, 1, { grain: 2, least: 2, from: 10 });
    expect(ladder.steps.filter(({ players }) => players % 2 !== 0)).toEqual([]);
    expect(result).toMatchObject({ found: true, players: 36, firstFail: 38 });
  });
});

describe('trials that contradict one another', () => {
  const pass = (players: number, seconds: number) => stepOf({ players, seconds, outcome: 'pass' });
  const fail = (players: number, seconds: number) => stepOf({ players, seconds, outcome: 'fail' });

  test.each([
    ['a longer pass overrules a shorter failure', [fail(1000, short), pass(1000, full)], 1000, null],
    ['also that of fewer players', [fail(900, short), pass(1000, full)], 1000, null],
    ['a longer failure overrules a shorter pass', [fail(1000, full), pass(1000, short)], null, 1000],
    ['also that of more players', [fail(900, full), pass(1000, short)], null, 900],
    ['of equally long trials the failure counts', [pass(1000, full), fail(1000, full)], null, 1000],
    [
      'however many passed',
      [...Array.from({ length: 4 }, () => pass(1000, full)), fail(1000, full)],
      null,
      1000,
    ],
    [
      'and what fails with fewer players fails with more',
      [pass(1000, full), fail(950, full), pass(900, full)],
      900,
      950,
    ],
    [
      'shorter trials count between longer ones',
      [
        pass(800, full),
        fail(1200, full),
        pass(1000, short),
        fail(1100, short),
        fail(700, short),
        pass(1300, short),
      ],
      1000,
      1100,
    ],
  ])('%s', (_, steps, lastPass, firstFail) => {
    const { pass: standsPassed, fail: standsFailed } = standing(steps);
    expect([standsPassed?.players ?? null, standsFailed?.players ?? null]).toEqual([lastPass, firstFail]);
  });

  test('their order does not matter', () => {
    const { ladder } = search({ knee: 777, noise: 0.05, shortBias: 0.1, failing: 0.05, invalid: 0 }, 3);
    expect(standing(ladder.steps.toReversed())).toEqual(standing(ladder.steps));
  });
});

describe('the next step', () => {
  const doubled = [
    { players: 1000, seconds: short },
    { players: 2000, seconds: short, outcome: 'fail' },
  ] as const;
  const near = [
    ...doubled,
    { players: 1900, seconds: full },
    { players: 1980, seconds: full, outcome: 'fail' },
  ] as const;
  const confirmed = { players: 1900, seconds: full, purpose: 'confirm' } as const;

  test.each([
    ['begins where it was asked to', [], { players: 1000, seconds: short, purpose: 'double' }],
    ['doubles', doubled.slice(0, 1), { players: 2000, seconds: short, purpose: 'double' }],
    [
      'halves when the first fails',
      [{ ...doubled[1], players: 1000 }],
      { players: 500, seconds: short, purpose: 'halve' },
    ],
    ['bisects by ratio', doubled, { players: 1414, seconds: short, purpose: 'bisect' }],
    [
      'at full length near the answer',
      [...doubled, { players: 1800, seconds: short }],
      { players: 1897, seconds: full, purpose: 'bisect' },
    ],
    [
      'repeats a failure that rests on a short trial',
      [...doubled, { players: 1910, seconds: full }],
      { players: 2000, seconds: full, purpose: 'again' },
    ],
    [
      'confirms: what made it the candidate does not count',
      near,
      { players: 1900, seconds: full, purpose: 'confirm' },
    ],
    [
      'until the fifth',
      [...near, confirmed, confirmed, confirmed, confirmed],
      { players: 1900, seconds: full, purpose: 'confirm' },
    ],
    [
      'lowers the candidate after a failure',
      [...near, confirmed, confirmed, confirmed, confirmed, { ...confirmed, outcome: 'fail' }],
      { players: 1378, seconds: short, purpose: 'bisect' },
    ],
    [
      'goes up gently beyond a failure that was overruled',
      [...doubled, { players: 2000, seconds: full }],
      { players: 2431, seconds: full, purpose: 'double' },
    ],
  ] as const)('%s', (_, steps, expected) => {
    expect(following(steps)).toEqual(expected);
  });

  test('five confirmations: the result names what broke the first that failed', () => {
    const broke = { id: 'p95', title: 'latency', metric: 'm', limit: 100, observed: 140, unit: 'ms' };
    const failed = { ...near[3], brokeFirst: broke, ranOut: { resource: 'server', evidence: 'a core' } };
    const steps = [...near.slice(0, 3), failed, ...Array.from({ length: 5 }, () => confirmed)];
    expect(following(steps)).toEqual({
      ...{ found: true, players: 1900, lastPass: 1900, firstFail: 1980, confirmed: { passed: 5, of: 5 } },
      ...{ brokeFirst: broke, ranOut: { resource: 'server', evidence: 'a core' }, unfinished: null },
    });
  });

  test('a short trial without a conclusion is repeated at full length, and no more short ones follow', () => {
    const few = { players: 1000, seconds: short, outcome: 'invalid', because: 'too few samples' } as const;
    expect(following([few])).toEqual({ players: 1000, seconds: full, purpose: 'again' });
    expect(following([few, { players: 1000, seconds: full }])).toEqual({
      ...{ players: 2000, seconds: full, purpose: 'double' },
    });
  });

  const few = (players: number, seconds: number = full) =>
    ({ players, seconds, outcome: 'invalid', because: 'samples', tooFew: true }) as const;
  const failed = (players: number, seconds: number = full) =>
    ({ players, seconds, outcome: 'fail' }) as const;
  const LONGER = 'give too few answers in 30 s to be judged (a longer --duration)';
  test.each([
    ['more players', [few(1000)], { players: 2000, seconds: full, purpose: 'double' }],
    ['and more', [few(1000), few(2000)], { players: 4000, seconds: full, purpose: 'double' }],
    [
      'down to them is not gone again',
      [few(1000), failed(2000)],
      { players: 1414, seconds: full, purpose: 'bisect' },
    ],
    [
      'what passed above them is a pass',
      [few(1000), failed(2000), { players: 1414 }],
      { players: 1682, purpose: 'bisect' },
    ],
    [
      'a first fail of a short trial is tried again',
      [failed(1030, short), few(1000)],
      { players: 1030, seconds: full, purpose: 'again' },
    ],
    [
      'none between them and too many: a longer phase',
      [few(1000), failed(1030)],
      { found: false, firstFail: 1030, because: `1,030 players are too many, and 1,000 players ${LONGER}` },
    ],
    [
      'no more may be tried: a longer phase',
      [few(100_000)],
      { found: false, because: `100,000 players ${LONGER}, the most that were tried` },
    ],
    // The server answered no more of them than of fewer.
    [
      'above a pass they are tried again',
      [{ players: 1000 }, few(2000)],
      { players: 2000, purpose: 'again' },
    ],
  ] as const)('too few answers, and nothing else: %s', (_, steps, expected) => {
    expect(following(steps)).toMatchObject(expected);
  });

  test.each([500, 3000, 20_000])(
    'a server that is judged only from %d players on is searched to its knee, or a longer phase is asked for',
    (enough) => {
      for (let seed = 0; seed < 20; seed++) {
        const { ladder, result } = search({ ...QUIET, knee: 10_000, enough }, seed, { from: 100 });
        expect(ladder.steps.length).toBeLessThan(45);
        if (enough > 10_000)
          expect(result).toMatchObject({ found: false, because: expect.stringContaining('longer') });
        else expect(result).toMatchObject({ found: true, confirmed: { passed: 5, of: 5 } });
      }
    },
  );

  test('a generator that has ended is no upper end: after the second time the search ends', () => {
    const lost = { ...few(2000), tooFew: undefined, gaveOut: 'generator', exitCode: 93 } as const;
    const gone = { ...lost, because: 'the agent was lost' };
    expect(following([doubled[0], gone])).toMatchObject({ players: 2000, purpose: 'again' });
    expect(following([doubled[0], gone, gone])).toEqual({
      ...{ found: false, gaveOut: 'generator', lastPass: 1000, firstFail: null },
      because:
        'the generator gave out first: 2 trials of 2,000 players had no conclusion: the agent was lost',
    });
  });

  test('three trials that the host disturbed: bound not found, and the host gave out', () => {
    const busy = { ...doubled[0], outcome: 'invalid', gaveOut: 'host', because: 'foreign-cpu' } as const;
    expect(following([busy])).toEqual({ players: 1000, seconds: full, purpose: 'again' });
    expect(following([busy, busy])).toEqual({ players: 1000, seconds: full, purpose: 'again' });
    expect(following([busy, busy, busy])).toEqual({
      ...{ found: false, lastPass: null, firstFail: null, gaveOut: 'host' },
      because: 'the host gave out first: 3 trials of 1,000 players had no conclusion: foreign-cpu',
    });
    // It counts from the last trial with a conclusion.
    expect(
      isResult(
        following([busy, busy, { ...doubled[0] }, { players: 2000, outcome: 'invalid', gaveOut: 'host' }]),
      ),
    ).toBe(false);
  });

  test('what three trials of full length did not show to be kept is not kept; the last of them says what broke', () => {
    const brokeFirst = { id: 'p95', title: 'p95', metric: 'm', limit: 500, observed: 510, unit: 'ms' };
    const vain = (players: number, seconds = full) =>
      ({ players, seconds, outcome: 'invalid', notShown: true, brokeFirst }) as const;
    const twice = [doubled[0], vain(2000), vain(2000)];
    expect(following(twice)).toEqual({ players: 2000, seconds: full, purpose: 'again' });
    const thrice = [...twice, vain(2000)];
    expect(following(thrice)).toEqual({ players: 1414, seconds: short, purpose: 'bisect' });
    expect(standing(thrice.map(stepOf))).toMatchObject({ pass: { players: 1000 }, fail: { players: 2000 } });
    // A short one does not count among them, and makes no other longer.
    expect(following([doubled[0], vain(2000, short)])).toMatchObject({ seconds: full, purpose: 'again' });
    expect(standing([doubled[0], vain(2000, short), vain(2000), vain(2000)].map(stepOf)).fail).toBeNull();
    // A candidate that cannot be confirmed is lowered; what broke is said by it.
    const lowered = [...near, vain(1900), vain(1900), vain(1900)];
    expect(following(lowered)).toMatchObject({ purpose: 'bisect' });
    expect(following(lowered, { timeLimitSeconds: 1 })).toMatchObject({
      found: true,
      firstFail: 1900,
      brokeFirst,
    });
  });

  test('a confirmation without a conclusion is repeated as one', () => {
    const vain = { ...confirmed, outcome: 'invalid', gaveOut: 'host' } as const;
    expect(following([...near, vain])).toEqual({ players: 1900, seconds: full, purpose: 'confirm' });
  });

  test('a late generator is an upper end: below it a failure may be found, else the bound is not', () => {
    const late = {
      players: 2000,
      seconds: full,
      outcome: 'invalid',
      gaveOut: 'generator',
      because: 'late',
    } as const;
    const reached = [doubled[0], late, late];
    expect(following(reached)).toEqual({ players: 1414, seconds: short, purpose: 'bisect' });
    const within = [...reached, { players: 1414, seconds: full, outcome: 'fail' } as const];
    expect(following(within)).toMatchObject({ purpose: 'bisect', players: 1189 });
    const closed = [...reached, { players: 1950, seconds: full }];
    expect(following(closed)).toMatchObject({
      found: false,
      lastPass: 1950,
      firstFail: null,
      gaveOut: 'generator',
    });
  });

  test('a stack that does not start is tried twice', () => {
    const down = { ...doubled[0], outcome: 'invalid', gaveOut: 'stack', exitCode: 93 } as const;
    expect(isResult(following([down]))).toBe(false);
    expect(following([down, down])).toMatchObject({ found: false, gaveOut: 'stack' });
  });

  test('the fewest fail, or the most pass: both only at full length', () => {
    const least = { players: 10, seconds: short, outcome: 'fail' } as const;
    expect(following([least], { least: 10 })).toEqual({ players: 10, seconds: full, purpose: 'again' });
    expect(following([least, { ...least, seconds: full }], { least: 10 })).toMatchObject({
      ...{ found: false, because: '10 players, the fewest, are too many', firstFail: 10 },
    });
    const most = { players: 1500, seconds: short } as const;
    expect(following([doubled[0]], { most: 1500 })).toMatchObject({ players: 1500 });
    expect(following([most], { most: 1500 })).toEqual({ players: 1500, seconds: full, purpose: 'again' });
    expect(following([most, { ...most, seconds: full }], { most: 1500 })).toMatchObject({
      ...{ found: false, lastPass: 1500, firstFail: null },
    });
  });

  test('no time for another step: what is known is stated as an interval, or the bound is not found', () => {
    const timeLimitSeconds = 120;
    expect(following(doubled, { timeLimitSeconds })).toMatchObject({
      ...{ found: true, players: 1000, lastPass: 1000, firstFail: 2000, confirmed: { passed: 0, of: 5 } },
      unfinished: expect.stringContaining('--time-limit'),
    });
    expect(following(doubled.slice(0, 1), { timeLimitSeconds: 60 })).toMatchObject({
      found: false,
      lastPass: 1000,
    });
    const busy = { ...doubled[0], outcome: 'invalid', gaveOut: 'host', because: 'foreign-cpu' } as const;
    expect(following([busy], { timeLimitSeconds: 60 })).toMatchObject({
      ...{ found: false, gaveOut: 'host', lastPass: null },
      because: expect.stringMatching(/^the host gave out first: .*foreign-cpu$/),
    });
    // Each step took 50 s, 42 of them beside the measure phase.
    expect(following(doubled, { timeLimitSeconds: 150 })).toMatchObject({ players: 1414 });
    expect(following(doubled, { timeLimitSeconds: 149 })).toMatchObject({ found: true });
  });

  test('a server whose answers are random does not keep a search going for ever', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { ladder } = search({ knee: 1000, noise: 1, shortBias: 0, failing: 0.3, invalid: 0.2 }, seed);
      expect(ladder.steps.length).toBeLessThanOrEqual(100);
    }
  });
});
