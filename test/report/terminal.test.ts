import { expect, test } from 'vitest';
import { summary } from '../../src/report/summary.ts';
import { terminalSummary, terminalVerdict } from '../../src/report/terminal.ts';
import { BUDGETS, budget, failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { nastyBudget, reportFrom } from './report-of.ts';

const style = { colour: false, width: 80, page: 'reports/recorded-20261121T113000Z' };
const scenario = scenarioOf({ budgets: [...BUDGETS, nastyBudget] });
const report = reportFrom(measurementsOf(), scenario);
const lines = terminalSummary(report, style).split('\n');
const at = (text: string): number => lines.findIndex((line) => line.includes(text));

test('the sections come in their order, and the verdict last', () => {
  const order = ['BUDGETS', 'LOAD', 'LATENCY', 'DATABASE', 'HOST AND GENERATOR', 'FAIL (99)'].map(at);
  expect(order).not.toContain(-1);
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(lines.filter((line) => line !== '').at(-1)).toBe(
    '  FAIL (99)  1 breached, 7 met, 1 contradicted, 3 untestable  reports/recorded-20261121T113000Z',
  );
});

test('breached budgets come first, with their limit and what was observed', () => {
  expect(at('✗')).toBeLessThan(at('✓'));
  expect(lines[at('✗')]).toMatch(/✗ nasty.*< 1 ms +20\.9 ms$/);
  expect(lines[at('FLX-151')]).toMatch(/✓ FLX-151 .*< 20 ms +16\.4 ms$/);
  expect(lines[at('FLX-119') + 1]).toContain('four servers that flush every 10 ms');
});

test('untestable budgets are one line for each missing component', () => {
  expect(lines.filter((line) => line.includes('untestable: '))).toHaveLength(3);
  expect(at('1 untestable: HAProxy')).toBeGreaterThan(at('FLX-119'));
  expect(at('FLX-124')).toBe(-1);
});

test('a gate of one’s own without a figure has its name there, and says first why there is no conclusion', () => {
  const gate = budget({ id: 'evicted', metric: 'redis.evictedKeys', op: '=', limit: 0, metricUnit: 'keys' });
  const without = reportFrom(measurementsOf(), scenarioOf({ budgets: [...BUDGETS, gate] }));
  const told = terminalSummary(without, { ...style, width: 120 });
  expect(told).toContain('· 1 unmeasured (evicted): only a target has one');
  expect(told).toMatch(
    /NO CONCLUSION\n\n {4}• budgets-measured: no figure for evicted \(only a target has one/,
  );
  expect(told).toContain('INVALID (90)  7 met, 1 contradicted, 1 unmeasured, 3 untestable');
  expect(without.rulings.at(-1)).toMatchObject({ state: 'unmeasured', cause: 'run' });
  expect(summary(without)).toContain('- budgets-measured: no figure for evicted');
});

test('no line is wider than the terminal, but for the last with its path', () => {
  for (const width of [80, 100, 200]) {
    const all = terminalSummary(report, { ...style, width })
      .split('\n')
      .slice(0, -2);
    expect(all.filter((line) => line.length > Math.min(width, 120))).toEqual([]);
  }
});

test('without colours there is no escape sequence, with them the text is the same', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const codes = /\u001b\[\d+m/g;
  const coloured = terminalSummary(report, { ...style, colour: true });
  expect(lines.join('\n')).not.toContain('\u001b');
  expect(coloured.match(codes)?.length).toBeGreaterThan(20);
  expect(coloured.replace(codes, '')).toBe(lines.join('\n'));
});

test('the scale is told, and what the generator and the servers share', () => {
  const quarter = terminalSummary(reportFrom(measurementsOf(), scenarioOf({ scale: 0.25 })), style);
  expect(quarter).toContain('scale 0.25');
  expect(quarter).toContain('generator and servers on one host');
});

test('what went wrong most often is among the notes, here and in summary.md; the rest is counted', () => {
  const errors = [
    'met once',
    'met often (12 times)',
    'met too (7 times)',
    'met twice (2 times)',
    'met at last',
  ];
  const told = (some: readonly string[]) => {
    const failing = reportFrom(measurementsOf({ errors: some }), scenarioOf({}));
    const shown = terminalSummary(failing, style)
      .split('\n')
      .filter((line) => line.includes('• '));
    const written = summary(failing)
      .split('\n')
      .filter((line) => /^- (?!\d+ untestable)/.test(line));
    expect(written.map((line) => line.slice(2))).toEqual(shown.map((line) => line.slice(6)));
    return shown.map((line) => line.trim().slice(2));
  };
  const most = ['error: met often (12 times)', 'error: met too (7 times)', 'error: met twice (2 times)'];
  expect(told(errors)).toEqual([...most, 'and 2 more kinds of errors in report.html']);
  expect(told(errors.slice(0, 4)).at(-1)).toBe('and 1 more kind of error in report.html');
  expect(told(errors.slice(1, 4))).toEqual(most);
  expect(told([])).toEqual([]);
});

test('an error that is told as the reason already is not told twice', () => {
  const because = { ...failedRun(), errors: ['postgres: port 5432 is in use'] };
  const text = terminalSummary(reportFrom(because, scenarioOf()), style);
  expect(text).toContain('NO CONCLUSION');
  expect(text).not.toContain('error: ');
});

test('what --set changed is told, however much it is', () => {
  expect(lines.join('\n')).not.toContain('altered');
  const altered = [
    'load.players=400',
    ...Array.from({ length: 9 }, (_, i) => `postgres.settings.a${i}=${i}`),
  ];
  const told = terminalSummary(reportFrom(measurementsOf(), scenarioOf({ altered })), style);
  expect(told).toContain('altered: load.players=400, postgres.settings.a0=0,');
  for (const text of altered) expect(told).toContain(text);
  expect(told.split('\n').filter((line) => line.length > 80 && !line.includes('reports/'))).toEqual([]);
});

test('the generator shows its own lag and its ceiling, the host what was not of the run', () => {
  const told = lines.slice(at('HOST AND GENERATOR')).join(' ').replace(/\s+/g, ' ');
  expect(told).toMatch(/lag p99 \S+ ms, own \S+ ms/);
  expect(told).toContain('generator ceiling.......: 100% of 31,500/s against null servers (target 21,000/s)');
  expect(told).toMatch(/foreign 0\.9\d+%/);
});

test('a run that failed before GO is told as well', () => {
  const failed = terminalSummary(reportFrom(failedRun(), scenario), style);
  expect(failed).toContain('postgres: port 5432 is in use: stop what listens there');
  expect(failed).toContain('INVALID (93)');
  expect(failed).not.toMatch(/NaN|undefined|null/);
});

test('the verdict alone is the last line, after a line for each thing that keeps it from a pass', () => {
  const passed = reportFrom(measurementsOf(), scenarioOf());
  expect(terminalVerdict(passed, style)).toMatch(/^PASS \(0\) .* reports\/recorded-20261121T113000Z\n$/);
  const told = terminalVerdict(report, style).split('\n');
  expect(told).toHaveLength(report.breachedBecause.length + 3);
  expect(told[0]).toMatch(/^breached: nasty\|<b> .*: limit < 1 ms, observed 20.9 ms$/);
  expect(told.slice(-2)).toEqual([
    'FAIL (99)  1 breached, 7 met, 1 contradicted, 3 untestable  reports/recorded-20261121T113000Z',
    '',
  ]);
  const [first, ...rest] = terminalVerdict(reportFrom(failedRun(), scenario), style).trimEnd().split('\n');
  expect(first).toBe('no conclusion: postgres: port 5432 is in use: stop what listens there');
  expect(rest.at(-1)).toMatch(/^INVALID \(93\) /);
});
