import { describe, expect, test } from 'vitest';
import { EMPTY_HISTOGRAM } from '../../src/histogram.ts';
import { judge } from '../../src/judge/verdict.ts';
import { figuresOf } from '../../src/measurement/figures-of.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { drawingsOf } from '../../src/report/drawing.ts';
import { html } from '../../src/report/html.ts';
import { junit } from '../../src/report/junit.ts';
import { reportOf } from '../../src/report/report.ts';
import { summary } from '../../src/report/summary.ts';
import { svgOf } from '../../src/report/svg.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { measurementsOf } from '../fixtures/recorded-run.ts';
import { STAGES, stageFacts } from '../fixtures/recorded-stages.ts';
import { ruleOf } from '../judge/measured.ts';
import { read } from '../scenario/scenario-text.ts';

const LONG = 'inspectInventoryOfTheOtherPlayer';
const NAMES = ['create', LONG, ...Array.from({ length: 18 }, (_, i) => `kind${i}`)];
const recorded = measurementsOf();

/** A run with so many kinds, each of which did what the intents of the recorded one did; the last is the slowest. */
function runOf(count: number, { closed = false, staged = false } = {}) {
  const kinds = NAMES.slice(0, count);
  const rateOf = (kind: string, i: number): string =>
    closed && i === count - 1 ? `${kind}: { due: answer }` : `${kind}: { perSecond: 1000 }`;
  const base = read(
    `name: many\nsystem: own\nplayers: { module: ./a.mjs }
load: { players: 1000, warmUp: 0s, duration: 20s, operations: { ${kinds.map(rateOf).join(', ')} } }
rules: { rejectedPercent: 20 }
budgets:
  - { id: fast, metric: latency.${kinds.at(-1)}.due, stat: p95, op: <, limit: 100, unit: ms }
`,
  );
  const s: Scenario = staged ? { ...base, load: { ...base.load, stages: STAGES } } : base;
  const { intent } = recorded.operations;
  const slow = {
    ...intent,
    due: { ...intent.due, counts: intent.due.counts.map(([at, n]) => [2 * at, n] as const) },
  };
  const of = <T>(make: (kind: string, isLast: boolean) => T) =>
    Object.fromEntries(kinds.map((kind, i) => [kind, make(kind, i === count - 1)]));
  const m: Measurements = {
    ...recorded,
    operations: of((_, isLast) => (isLast ? slow : intent)),
    series: {
      ...Object.fromEntries(
        Object.entries(recorded.series).filter(([name]) => !/^(load\.\w+\.|world)/.test(name)),
      ),
      ...Object.fromEntries(
        kinds.flatMap((kind) =>
          Object.entries(recorded.series).flatMap(([name, series]) =>
            name.startsWith('load.intent.') ? [[name.replace('intent', kind), series] as const] : [],
          ),
        ),
      ),
    },
    stages: staged
      ? [stageFacts(0), stageFacts(1), stageFacts(2)].map((one) => {
          const { intent: own } = one.operations as { readonly intent: (typeof one.operations)[string] };
          return { ...one, operations: of(() => own) };
        })
      : [],
    integrity: null,
    ...{ worlds: null, probes: recorded.probes.filter(({ name }) => !name.startsWith('world')) },
  };
  const figures = figuresOf(m, s);
  const verdict = judge(m, s, figures);
  return { kinds, m, s, verdict, report: reportOf(m, s, verdict, figures) };
}

describe.each([1, 2, 10, 20])('%i kinds', (count) => {
  const { report, kinds, m } = runOf(count, { staged: count > 2 });
  const last = kinds.at(-1) ?? '';

  test.each([80, 120])('fit a terminal of %i columns, with a line for each', (width) => {
    for (const full of [false, true]) {
      const lines = terminalSummary(report, { colour: false, full, width, page: 'page' }).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(width);
      for (const kind of kinds) {
        expect(lines.some((line) => line.trim().startsWith(kind.slice(0, 12)))).toBe(true);
      }
    }
  });

  test('are all in every format', () => {
    for (const text of [html(report, drawingsOf(report, m)), summary(report), junit(report)]) {
      for (const kind of kinds) expect(text.toLowerCase()).toContain(kind.toLowerCase());
    }
  });

  test('have curves that can be told apart', () => {
    const drawings = drawingsOf(report, m);
    for (const { name, curves, title } of drawings.filter(({ name }) => /latency|percentiles/.test(name))) {
      expect(curves.length, name).toBeLessThanOrEqual(6);
      expect(curves.some((curve) => curve.name.startsWith(last))).toBe(true);
      expect(title.includes(`6 of ${count} operations`)).toBe(count > 6);
    }
  });

  test('are headed by the first of a few, and the slowest of many', () => {
    const shown = count > 2 ? last : kinds[0];
    expect(summary(report)).toMatch(new RegExp(`· ${count > 2 ? 'slowest: ' : ''}${shown} p95`));
    expect(html(report, [])).toContain(`<p>${shown?.replace(/^./, (one) => one.toUpperCase())} p95</p>`);
  });
});

describe('a kind that follows from answers', () => {
  const { report, verdict, kinds } = runOf(3, { closed: true });
  const closed = kinds.at(-1) ?? '';

  test('is called the closed part of the load', () => {
    expect(report.operations.map(({ due }) => due)).toEqual([undefined, undefined, 'answer']);
    const style = { colour: false, full: false, width: 80, page: 'page' };
    const words = `fter answers, without a schedule: ${closed}`;
    expect(terminalSummary(report, style)).toContain(words);
    expect(summary(report)).toContain(words);
    expect(html(report, [])).toContain(words);
    expect(terminalSummary(report, { ...style, full: true, width: 120 })).toMatch(/ sent +after answers\n/);
  });

  test('keeps no schedule, and its latency has to be steady all the same', () => {
    expect(ruleOf(verdict, `schedule-kept.${closed}`)).toMatchObject({
      state: 'not-applicable',
      observed: 'it follows from answers, and has no schedule',
    });
    expect(ruleOf(verdict, `steady-throughput.${closed}`).observed).toBe(
      'it follows from answers, and has no rate',
    );
    expect(ruleOf(verdict, `steady-p95.${closed}`).state).toBe('held');
    expect(ruleOf(verdict, 'schedule-kept.create').state).toBe('held');
    // What became due and was not sent is not carried, whatever made it due.
    expect(ruleOf(verdict, `load-sustained.${closed}`).state).toBe('held');
  });

  test.each([
    [3, 'it follows from answers, and has no schedule'],
    [1, 'no player began anything'],
  ])(
    'that nobody began, of %i kinds, leaves its budget without a figure, which is no pass',
    (count, kept) => {
      const { kinds, s, m } = runOf(count, { closed: true });
      const closed = kinds.at(-1) ?? '';
      const none = EMPTY_HISTOGRAM;
      const zero = Object.fromEntries(Object.keys(m.operations[closed]?.whole ?? {}).map((key) => [key, 0]));
      const nothing = {
        ...recorded.operations.intent,
        ...{
          due: none,
          ok: none,
          service: none,
          lag: none,
          ownLag: none,
          net: none,
          rejected: none,
          windows: [],
        },
        ...{ whole: zero, measured: zero },
      } as unknown as (typeof recorded.operations)['intent'];
      const idle: Measurements = { ...m, operations: { ...m.operations, [closed]: nothing } };
      const judged = judge(idle, s, figuresOf(idle, s));
      expect(judged.exitCode).toBe(90);
      expect(ruleOf(judged, `schedule-kept.${closed}`).observed).toBe(kept);
      expect(judged.rulings[0]).toMatchObject({
        state: 'unmeasured',
        reason: `no player began it: players by module do so by context.start('${closed}'), after an answer`,
      });
    },
  );
});

test('a rare kind is drawn in the seconds in which it was answered, and in no other', () => {
  const { m, report } = runOf(3);
  const points = [5, 10, 11, 20].map((at) => [at, 7] as const);
  const rare = { ...m, series: { ...m.series, 'load.create.p95Ms': { kind: 'gauge', points } as const } };
  const latency = drawingsOf(report, rare).find(({ name }) => name === 'latency');
  const curve = latency?.curves.find(({ name }) => name === 'create p95');
  if (latency === undefined || curve === undefined) throw new Error('it is not drawn');
  expect(curve.x.filter((_, i) => curve.y[i] !== null)).toEqual([5, 10, 11, 20]);
  const runsIn = (curves: (typeof latency)['curves']): number =>
    (/class="curve c0" d="([^"]*)"/.exec(svgOf({ ...latency, curves }))?.[1] ?? '').split('M').length - 1;
  expect(runsIn([curve])).toBe(3);
  // Of more points than there are pixels, some are left out, and never all of a part.
  const x = Array.from({ length: 3000 }, (_, i) => i);
  expect(runsIn([{ ...curve, x, y: x.map((i) => (i % 3 === 0 ? 7 : null)) }])).toBeGreaterThan(200);
});

test('a headline names a kind as operations', () => {
  const { m, s } = runOf(2);
  const { intent } = recorded.operations;
  const { ok } = intent.measured;
  const measured = { ...intent.measured, ok: 0, failed: intent.measured.failed + ok };
  const whole = { ...intent.whole, ok: intent.whole.ok - ok, failed: intent.whole.failed + ok };
  const rejected = intent.rejected ?? EMPTY_HISTOGRAM;
  const failed = {
    ...intent,
    measured,
    whole,
    due: rejected,
    ok: EMPTY_HISTOGRAM,
    service: rejected,
    lag: rejected,
  };
  const bad = { ...m, operations: { ...m.operations, create: failed } } as Measurements;
  const { headline, breachedBecause } = judge(bad, s, figuresOf(bad, s));
  expect(`${headline} ${breachedBecause.join()}`).toContain('answered.create');
  expect(headline).toContain('of the create operations were answered');
});

test('of a rare kind nothing may come due by chance, of a frequent one it may not', () => {
  const rule = (perSecond: number, kinds: number): string => {
    const { m, s } = runOf(kinds);
    const { intent } = recorded.operations;
    const none: Measurements = {
      ...m,
      operations: { ...m.operations, create: { ...intent, measured: { ...intent.measured, scheduled: 0 } } },
    };
    const rare = { ...s, load: { ...s.load, operations: { ...s.load.operations, create: { perSecond } } } };
    return ruleOf(judge(none, rare, figuresOf(none, rare)), 'schedule-kept.create').state;
  };
  expect(rule(0.1, 2)).toBe('held');
  expect(rule(1, 2)).toBe('broken');
  expect(rule(0.1, 1)).toBe('broken');
});
