import { describe, expect, test } from 'vitest';
import type { Measurements } from '../../src/measurement/measurements.ts';
import type { Ladder, LadderStep } from '../../src/model/ladder.ts';
import { readLadder } from '../../src/model/ladder.ts';
import { kneeDrawing, ladderHtml } from '../../src/report/ladder-html.ts';
import { ladderMarkdown } from '../../src/report/ladder-markdown.ts';
import { latencyLimitOf, stepFactsOf } from '../../src/report/ladder-step.ts';
import { searchSummary, stepLine } from '../../src/report/ladder-terminal.ts';
import { searchVerdict } from '../../src/report/ladder-text.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { budget, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { judged } from '../judge/measured.ts';
import { withSteps } from '../model/simulated.ts';
import { NASTY, reportFrom } from './report-of.ts';

const factsOf = (m: Partial<Measurements> = {}, s: Partial<Scenario> = {}) => {
  const [facts, scenario] = [measurementsOf(m), scenarioOf(s)];
  return stepFactsOf(reportFrom(facts, scenario), judged(facts, scenario));
};
const AGENT = {
  ...{ address: '10.0.0.5:7400', workers: 2, onThisHost: false },
  ...{ clockOffsetMs: 3, clockUncertaintyMs: 0.4, driftMs: 0.1, roundTripMs: 0.6 },
};
const tight = (id: string, stat: string, limit: number) =>
  budget({ id, title: 'intent latency', metric: 'latency.intent.due', stat, op: '<', limit });

describe('what a run says of its number of players', () => {
  test('a pass', () => {
    expect(factsOf()).toMatchObject({ outcome: 'pass', exitCode: 0, brokeFirst: null, gaveOut: null });
  });

  test('of several breached budgets the one that is furthest beyond its limit broke first', () => {
    const budgets = [tight('p99', 'p99', 1), tight('p95', 'p95', 0.001)];
    const facts = factsOf({}, { budgets });
    expect(facts).toMatchObject({ outcome: 'fail', exitCode: 99, gaveOut: null });
    expect(facts.brokeFirst).toMatchObject({
      id: 'p95',
      metric: 'latency.intent.due.p95',
      limit: 0.001,
      unit: 'ms',
    });
    expect(facts.because).toContain('intent latency, p95');
    expect(facts.latency?.p95Ms).toBe(facts.brokeFirst?.observed);
  });

  test('a stack that never started has no say; one that had started and ended under the load does', () => {
    const ending = { state: 'stackFailed', because: 'world-1 ended', hint: 'see its log' } as const;
    const { phases } = measurementsOf();
    expect(factsOf({ ending, measured: null, phases: { ...phases, stackUp: null, go: null } })).toMatchObject(
      {
        ...{ outcome: 'invalid', exitCode: 93, gaveOut: 'stack' },
      },
    );
    expect(factsOf({ ending })).toMatchObject({
      ...{ outcome: 'fail', exitCode: 93, because: expect.stringContaining('world-1 ended') },
    });
  });

  test('a generator that ended says nothing of the number, however far the run was', () => {
    const ending = {
      state: 'stackFailed',
      because: 'the agent was lost',
      hint: '',
      of: 'generator',
    } as const;
    expect(factsOf({ ending })).toMatchObject({ outcome: 'invalid', exitCode: 93, gaveOut: 'generator' });
    const agents = [{ ...AGENT, clockUncertaintyMs: 1e6 }];
    expect(factsOf({ agents })).toMatchObject({ outcome: 'invalid', exitCode: 90, gaveOut: 'generator' });
  });

  test('too few answers for a percentile, and nothing else', () => {
    const budgets = [tight('p999', 'p999', 1e6)];
    // Of 20,000 the best that can be shown is 1 - 0.999^20,000, 2e-9 from certain.
    const rules = { ...scenarioOf().rules, confidencePercent: 100 - 1e-8 };
    const few = factsOf({}, { budgets, rules });
    expect(few).toMatchObject({ outcome: 'invalid', exitCode: 90, gaveOut: null, tooFew: true });
    const disturbed = { ...rules, canaryDriftPercent: -1 };
    expect(factsOf({}, { budgets, rules: disturbed })).not.toHaveProperty('tooFew');
    // Enough of them, but the percentile is too near to its limit.
    const p95 = factsOf().latency?.p95Ms ?? 0;
    const near = factsOf({}, { budgets: [tight('p95', 'p95', 1.0001 * p95)] });
    expect(near).toMatchObject({ outcome: 'invalid', because: expect.stringContaining('samples.p95') });
    expect(near).toMatchObject({
      notShown: true,
      brokeFirst: { id: 'p95', metric: 'latency.intent.due.p95' },
    });
    expect(near).not.toHaveProperty('tooFew');
    expect(few).not.toHaveProperty('notShown');
    expect(factsOf()).not.toHaveProperty('tooFew');
  });

  test('who gave out: the host where something took it, else the generator', () => {
    const late = scenarioOf().rules;
    expect(factsOf({}, { rules: { ...late, generatorLoopDelayMs: 0 } })).toMatchObject({
      ...{ outcome: 'invalid', exitCode: 90, gaveOut: 'generator' },
    });
    expect(
      factsOf({}, { rules: { ...late, generatorLoopDelayMs: 0, canaryDriftPercent: -1 } }),
    ).toMatchObject({
      gaveOut: 'host',
    });
  });

  test('the limit of the chart: the tightest budget on p95', () => {
    const report = reportFrom(
      measurementsOf(),
      scenarioOf({
        budgets: [tight('p99', 'p99', 50), tight('loose', 'p95', 300), tight('tight', 'p95', 200)],
      }),
    );
    expect(latencyLimitOf(report)).toEqual({ name: 'tight: p95 < 200 ms', ms: 200 });
    expect(latencyLimitOf({ rulings: [] })).toBeNull();
  });
});

const broke = {
  id: 'p95',
  title: 'latency, p95',
  metric: 'latency.intent.due.p95',
  limit: 200,
  observed: 612,
  unit: 'ms',
};
const of = (label: string, p95Ms: number) => ({ latency: { label, p50Ms: 1, p95Ms } });
const steps: readonly Partial<LadderStep>[] = [
  { players: 1000, because: '2 of 2 budgets met', ...of('intents', 10) },
  {
    players: 2000,
    outcome: 'fail',
    exitCode: 99,
    because: NASTY,
    brokeFirst: broke,
    ranOut: { resource: 'server', evidence: 'a core' },
    bundle: 'step-02',
    ...of('intents', 612),
  },
  { players: 1950, purpose: 'confirm', because: '2 of 2 budgets met', ...of('intents', 40) },
  { players: 1950, purpose: 'confirm', because: '2 of 2 budgets met', ...of('intents', 60) },
];
const found: Ladder = {
  ...withSteps(steps),
  latencyLimit: { name: 'p95: p95 < 200 ms', ms: 200 },
  result: {
    ...{ found: true, players: 1950, lastPass: 1950, firstFail: 2000, confirmed: { passed: 2, of: 2 } },
    ...{ brokeFirst: broke, ranOut: { resource: 'server', evidence: 'a core' }, unfinished: null },
  },
};
const style = { colour: false, width: 100, full: false, page: 'there/search.html' };

describe('a search in every format', () => {
  test('the terminal: a line for each step, and at the end the interval, what broke and what ran out', () => {
    expect(stepLine(found.steps[1]!, { colour: false, width: 200 })).toMatch(
      /^ {4}2 {6}2,000 players {4}30 s {2}up {7}FAIL {5}.*; ran out: server\n$/,
    );
    const text = searchSummary(found, style);
    for (const part of [
      'simulated: 1,950 players keep every budget; 2,000 do not',
      'last pass    1,950 players, confirmed 2 of 2 times at full length',
      'first fail   2,000 players',
      'broke first  p95: latency, p95, 612 ms (limit 200 ms)',
      'ran out      server: a core',
      'FOUND (0)  there/search.html',
    ])
      expect(text).toContain(part);
  });

  test('as another machine: each format says so, and the file is read again with it', () => {
    const tierFacts = {
      ...{ id: 'box', cpus: 2, kind: 'shared', baselinePercent: null, memoryBytes: 4 * 2 ** 30 },
    };
    const other: Ladder = { ...found, tier: 'box', tierFacts };
    const words = "2,000 do not; as a 2-vCPU, 4-GB box, with this host's cores";
    expect(searchSummary(other, style).replaceAll(/\s+/g, ' ')).toContain(words);
    expect(searchSummary(other, style)).toContain('emulated     box, on a cpu');
    expect(ladderMarkdown(other)).toContain(words);
    expect(ladderHtml(other)).toContain(words.replace("'", '&#39;'));
    expect(readLadder(JSON.stringify(other), 'search.json')).toEqual(other);
  });

  test('the page: the knee with its limit and the interval, and a row that leads to each step', () => {
    const html = ladderHtml(found);
    for (const part of [
      'id="chart-knee"',
      'p95: p95 &lt; 200 ms',
      'last pass',
      'href="step-02/report.html"',
      '1,950 players',
    ])
      expect(html).toContain(part);
    expect(html).not.toContain('<script');
    expect(html).not.toContain('\u001b');
    const knee = kneeDrawing(found);
    expect(knee?.curves.map(({ x, y }) => [x, y])).toEqual([
      [
        [1000, 1950, 2000],
        [10, 60, 612],
      ],
      [
        [1000, 1950, 2000],
        [10, 40, 612],
      ],
    ]);
    expect(kneeDrawing(withSteps([{}]))).toBeNull();
  });

  test('Markdown: a row for each step, and nothing in it is markup', () => {
    const text = ladderMarkdown(found);
    expect(text.split('\n').filter((line) => /^\| \d/.test(line))).toHaveLength(4);
    expect(text).toContain('### ✅ FOUND (0): simulated');
    expect(text).not.toContain('<script>');
  });

  test.each([
    ['found', found, 0],
    ['interrupted', { ...found, result: null }, 105],
    ['data lost at a step', { ...found, steps: [...found.steps, { ...found.steps[1]!, exitCode: 92 }] }, 92],
    [
      'bound not found',
      {
        ...found,
        result: { found: false, because: 'x', gaveOut: 'generator', lastPass: 1, firstFail: null },
      },
      90,
    ],
    [
      'no stack',
      { ...found, result: { found: false, because: 'x', gaveOut: 'stack', lastPass: null, firstFail: null } },
      93,
    ],
  ] as const)('the exit code of a search: %s', (_, ladder, code) => {
    expect(searchVerdict(ladder).exitCode).toBe(code);
    expect(searchSummary(ladder, style)).toContain(`(${code})`);
  });

  test('search.json is read as it was written; a broken one is named with the place', () => {
    expect(readLadder(JSON.stringify(found), 'search.json')).toEqual(found);
    const broken = (change: object): string => JSON.stringify({ ...found, ...change });
    expect(() => readLadder('{', 'a/search.json')).toThrow(/a\/search.json is broken/);
    expect(() => readLadder(broken({ basePlayers: 'many' }), 'f')).toThrow(
      /f is broken: basePlayers: .*number/,
    );
    expect(() => readLadder(broken({ steps: [{ ...found.steps[0], step: 7 }] }), 'f')).toThrow(/steps.0/);
  });
});
