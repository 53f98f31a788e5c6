import { expect, test } from 'vitest';
import type { Comparison } from '../../src/compare/comparison.ts';
import type { MetricComparison } from '../../src/compare/metric-comparison.ts';
import { comparedInFormat, comparedVerdict } from '../../src/report/comparison-format.ts';
import { comparisonMarkdown } from '../../src/report/comparison-markdown.ts';
import type { VerdictFormat } from '../../src/report/format.ts';
import { elementsOf } from './xml.ts';

const metric = (
  label: string,
  ruling: MetricComparison['ruling'],
  over: Partial<MetricComparison> = {},
): MetricComparison => ({
  ...{ metric: label, label, unit: 'us', better: 'lower', gated: true, ruling, because: null },
  ...{ base: { n: 5, mean: 200, cvPercent: 2 }, head: { n: 5, mean: 224, cvPercent: 2 } },
  ...{ changePercent: 12, lowPercent: 9.5, highPercent: 14.6, detectablePercent: 4, trialsNeeded: 4 },
  ...over,
});

const side = (name: string) => ({
  name,
  counted: 5,
  trials: Array.from({ length: 5 }, (_, i) => ({
    ...{ name: `${name}/${i}`, outcome: 'pass' as const, exitCode: 0, headline: '', commit: null, seed: i },
    ...{ startedAt: '2026-11-30T12:00:00.000Z', leftOut: null },
  })),
});

const comparison = (over: Partial<Comparison>): Comparison => ({
  ...{ schemaVersion: 1, kind: 'comparison', scenario: 'chat', system: 'own', design: 'separate' },
  ...{ base: side('main'), head: side('head'), thresholdPercent: 5, confidencePercent: 99 },
  ...{
    notComparable: [],
    metrics: [],
    outcome: 'pass',
    exitCode: 0,
    headline: 'nothing is worse',
    notes: [],
  },
  ...over,
});

const regression = comparison({
  ...{ outcome: 'regression', exitCode: 91, headline: 'CPU is 12% higher' },
  metrics: [
    metric('bytes per operation', 'same', { changePercent: 0.1 }),
    metric('CPU per operation, chat', 'worse'),
    metric('memory per player', 'underpowered', { because: 'about 40 trials would be enough' }),
    metric('p99 latency', 'worse', { gated: false }),
  ],
});
const passed = comparison({ metrics: [metric('CPU per operation', 'same'), metric('memory', 'better')] });
const apart = comparison({
  ...{ outcome: 'inconclusive', exitCode: 90, headline: 'not comparable: CPU (A | B against <C>)' },
  metrics: [metric('CPU per operation', 'not comparable', { lowPercent: null, highPercent: null })],
});

const comparisonInFormat = (format: VerdictFormat, one: Comparison): string =>
  comparedInFormat(format, comparedVerdict(one));

const seen = (text: string): string => text.slice(0, text.indexOf('<details>'));

test('the comment has the verdict, then what decided, with its change and interval', () => {
  const text = comparisonInFormat('comment', regression);
  const [marker, heading] = text.split('\n');
  expect([marker, heading]).toEqual([
    '<!-- capbench:comparison:chat -->',
    '### ❌ REGRESSION (91): chat, head against main',
  ]);
  const rows = seen(text)
    .split('\n')
    .filter((line) => /^\| [❌⚠✅]/u.test(line));
  expect(rows).toEqual([
    '| ❌ | CPU per operation, chat | 200 µs | 224 µs | \\+12.0% | \\+9.50% to +14.6% |',
    '| ⚠️ | memory per player | 200 µs | 224 µs | \\+12.0% | \\+9.50% to +14.6% |',
    '| ✅ | bytes per operation | 200 µs | 224 µs | \\+0.10% | \\+9.50% to +14.6% |',
  ]);
  expect(seen(text)).toContain('5 against 5 trials · a regression is beyond 5% · 3 metrics decide');
  expect(text).toContain('<summary>All metrics, and how they were compared</summary>');
});

test('of a duet it says how many pairs there are; of a pass it shows the metrics, too', () => {
  expect(comparisonInFormat('comment', { ...passed, design: 'paired' })).toContain('5 pairs of trials · ');
  expect(seen(comparisonInFormat('comment', passed)).match(/^\| ✅/gm)).toHaveLength(2);
});

test('names of machines and branches are text', () => {
  const text = comparisonInFormat('comment', { ...apart, head: side('@ann/fix|<img>') });
  expect(seen(text)).toContain('not comparable: CPU (A \\| B against &lt;C>)');
  expect(seen(text)).not.toMatch(/@ann|<img/);
});

test('annotations: an error for what is worse, a warning for what is not known, nothing for what does not decide', () => {
  const lines = (one: Comparison) =>
    comparisonInFormat('annotations', one)
      .trimEnd()
      .split('\n')
      .map((line) => line.split('::')[1]);
  expect(lines(regression)).toEqual([
    'error title=chat%3A REGRESSION (91)',
    'error title=CPU per operation%2C chat%3A worse',
    'warning title=memory per player%3A underpowered',
  ]);
  expect(lines(passed)).toEqual(['notice title=chat%3A PASS (0)', 'notice title=memory%3A better']);
  expect(lines(apart)).toEqual([
    'warning title=chat%3A NO CONCLUSION (90)',
    'warning title=CPU per operation%3A not comparable',
  ]);
});

test.each([
  ['a regression', regression, 2, 1, 1],
  ['a pass', passed, 0, 0, 0],
  ['no conclusion', apart, 0, 2, 0],
])('junit.xml of %s: the verdict and each gated metric', (_what, one, failures, errors, skipped) => {
  const elements = elementsOf(comparisonInFormat('junit', one));
  const of = (name: string) => elements.filter((element) => element.name === name).length;
  expect([of('failure'), of('error'), of('skipped')]).toEqual([failures, errors, skipped]);
  expect(of('testcase')).toBe(1 + one.metrics.length);
  expect(elements[0]?.attributes).toMatchObject({ failures: `${failures}`, errors: `${errors}` });
});

test('the summary of a comparison is its Markdown', () => {
  expect(comparisonInFormat('summary', regression)).toBe(comparisonMarkdown(regression));
});

test('versions are named by their commits where each has one of its own', () => {
  const at = (name: string, commit: string) => {
    const { trials, ...rest } = side(name);
    return { ...rest, trials: trials.map((trial) => ({ ...trial, commit })) };
  };
  const heading = (one: Comparison) => comparisonInFormat('comment', one).split('\n')[1];
  const [base, head] = [at('/tmp/x/bundle', '1'.repeat(40)), at('/tmp/y/bundle', '2'.repeat(40))];
  expect(heading({ ...passed, base, head })).toMatch(/: chat, 222222222222 against 111111111111$/);
  expect(heading({ ...passed, base, head: { ...base, name: 'other' } })).toMatch(
    /: chat, other against \/tmp/,
  );
  expect(heading({ ...passed, base, head, design: 'paired' })).toMatch(/: chat, \/tmp\/y\/bundle against/);
});

test('a duet without a pair has a verdict and nothing else', () => {
  const interrupted = {
    ...{
      kind: 'duet' as const,
      scenario: 'chat',
      word: 'interrupted',
      exitCode: 105 as const,
      comparison: null,
    },
    ...{ headline: 'interrupted; 0 pairs in 0.2 min', markdown: '### heading\n\nrest' },
  };
  const text = comparedInFormat('comment', interrupted);
  expect(text.split('\n').slice(0, 4)).toEqual([
    ...['<!-- capbench:duet:chat -->', '### ⚠️ INTERRUPTED (105): chat', ''],
    'interrupted; 0 pairs in 0.2 min',
  ]);
  expect(text).not.toContain('### heading');
  const [, , verdict, result] = elementsOf(comparedInFormat('junit', interrupted));
  expect([verdict?.attributes.name, result?.name]).toEqual(['verdict', 'error']);
  expect(comparedInFormat('annotations', interrupted)).toBe(
    '::error title=chat%3A INTERRUPTED (105)::interrupted; 0 pairs in 0.2 min\n',
  );
});
