import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Measurements } from '../../src/measurement/measurements.ts';
import type { Report } from '../../src/report/report.ts';
import { summary } from '../../src/report/summary.ts';
import { terminalSummary, terminalVerdict } from '../../src/report/terminal.ts';
import { readClaims } from '../../src/scenario/claims.ts';
import { NO_OVERRIDES } from '../../src/scenario/overrides.ts';
import { readScenario } from '../../src/scenario/read-scenario.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { BUDGETS, budget, failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { counter, slowed, withSeries } from '../judge/measured.ts';
import { nastyBudget, reportFrom } from './report-of.ts';

const style = { colour: false, width: 80, full: true, page: 'reports/recorded-20261121T113000Z' };
const scenario = scenarioOf({ budgets: [...BUDGETS, nastyBudget] });
const report = reportFrom(measurementsOf(), scenario);
const lines = terminalSummary(report, style).split('\n');
const at = (text: string): number => lines.findIndex((line) => line.includes(text));

test('the sections come in their order, and the verdict last', () => {
  const order = ['BUDGETS', 'LOAD', 'LATENCY', 'DATABASE', 'HOST AND GENERATOR', 'FAIL (99)'].map(at);
  expect(order).not.toContain(-1);
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(lines.filter((line) => line !== '').at(-1)).toBe(
    '  FAIL (99)  1 of 8 budgets breached, 4 not judged  reports/recorded-20261121T113000Z',
  );
});

test('breached budgets come first, with their limit and what was observed', () => {
  expect(at('✗')).toBeLessThan(at('✓'));
  expect(lines[at('✗')]).toMatch(/✗ nasty.*< 1 ms +20\.9 ms$/);
  expect(lines[at('FLX-151')]).toMatch(/✓ FLX-151 .*< 20 ms +16\.4 ms$/);
  expect(lines[at('FLX-119') + 1]).toContain('four servers that flush every 10 ms');
});

test('the headline comes first, with the verdict and what was breached', () => {
  expect(lines.slice(0, 3)).toEqual([
    '',
    '  FAIL  1 of 8 budgets breached: nasty|<b>',
    expect.stringMatching(/^ {2}recorded, scale 1, seed 42, 2026-11-21 11:30:00 UTC, [0-9a-f]{12}$/),
  ]);
});

test('the compact summary has the budgets that decide, and a line for each state of the others', () => {
  const compact = terminalSummary(report, { ...style, full: false });
  const shown = compact.split('\n');
  expect(shown[1]).toBe(lines[1]);
  expect(shown.filter((line) => /^ {4}[✗✓·] /.test(line)).map((line) => line.trim())).toEqual([
    expect.stringMatching(/^✗ nasty.*< 1 ms +20\.9 ms$/),
    expect.stringMatching(/^✓ 7 met: FLX-151, (?:[-A-Z\d]+, ){5}[-A-Z\d]+$/),
    '· 1 contradicted: four servers that flush every 10 ms make 400 batches a s…',
    '· 3 untestable: 3 reasons, listed with --full',
  ]);
  expect(compact).toMatch(/\n {4}intents +1,000 +100% +1,000 /);
  expect(compact).toMatch(/\n {4}lost writes +0 of [\d,]+ acknowledged\n/);
  expect(compact).not.toMatch(/LOAD|LATENCY|HOST AND GENERATOR/);
  expect(compact).toMatch(/\n {2}Next: .+\n(?: {8}.+\n)* {2}FAIL \(99\) {2}.+\n$/);
});

test('what an outage cost within the stated window is beside what was lost', () => {
  const { integrity } = measurementsOf();
  const windows = [{ of: 'cache', withinSeconds: 6 }];
  const m = measurementsOf({
    integrity: integrity && { ...integrity, windows, lostInWindow: 17, applied: integrity.acked - 17 },
  });
  const compact = terminalSummary(reportFrom(m, scenarioOf()), { ...style, full: false, width: 120 });
  expect(compact).toMatch(
    /lost writes +0 of [\d,]+ acknowledged; 17 lost within the stated window of 6 s \(cache\)\n/,
  );
});

test('the compact summary gives each reason once: in the headline, the next step or a list', () => {
  const invalid = reportFrom(
    measurementsOf(),
    scenarioOf({
      budgets: [...BUDGETS, budget({ id: 'evicted', metric: 'redis.evictedKeys', metricUnit: 'keys' })],
    }),
  );
  const compact = terminalSummary(invalid, { ...style, full: false, width: 400 });
  expect(compact).toContain('  INVALID  no conclusion: budgets-measured: no figure for evicted');
  expect(compact).not.toContain('NO CONCLUSION');
  expect(compact).toContain('Next: give the run what is missing,');
});

test('the next step follows from what was breached', () => {
  const next = (run: Report): string =>
    /Next: (.*)/.exec(terminalSummary(run, { ...style, width: 400 }))?.[1] ?? '';
  expect(next(quickstart({}))).toBe('raise --scale to find the limit.');
  expect(next(quickstart({}, late))).toBe('give the servers more CPU or lower --scale.');
  expect(next(quickstart(overloaded, late))).toBe('give the servers more CPU or lower --scale.');
  expect(next(quickstart({}, { 'server-memory': 0.1 }))).toBe('see the charts of what was breached.');
  expect(next(quickstart(disturbed))).toBe('stop other processes, or use an idle machine.');
  const strict = { ...scenarioOf().rules, rejectedPercent: { intent: 5 } };
  expect(next(reportFrom(measurementsOf(), scenarioOf({ rules: strict })))).toMatch(
    /^the target rejected more than rules.rejectedPercent allows/,
  );
});

test('relaxed rules are one line of the compact summary, errors stay', () => {
  const rules = { ...scenarioOf().rules, generatorLoopDelayMs: 500, steadyP95Percent: 30 };
  const relaxed = reportFrom(measurementsOf({ errors: ['met once'] }), scenarioOf({ rules }));
  const compact = terminalSummary(relaxed, { ...style, full: false, width: 100 });
  expect(compact.split('\n').filter((line) => line.includes('• '))).toEqual([
    '    • error: met once',
    '    • 2 rules relaxed by the scenario (--full)',
  ]);
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
  expect(told).toContain('INVALID (90)  7 of 7 budgets met, 5 not judged');
  expect(without.rulings.at(-1)).toMatchObject({ state: 'unmeasured', cause: 'run' });
  expect(summary(without)).toContain('- budgets-measured: no figure for evicted');
});

test('no line is wider than the terminal, but for the last with its path', () => {
  for (const full of [true, false]) {
    for (const width of [60, 80, 100, 200]) {
      const all = terminalSummary(report, { ...style, full, width })
        .split('\n')
        .slice(0, -2);
      expect(all.filter((line) => line.length > Math.min(width, 120))).toEqual([]);
    }
  }
});

/** A scenario that comes with capbench. */
function shipped(name: string): Scenario {
  const bytes = readFileSync(join(root, 'scenarios', `${name}.yaml`));
  const claims = readClaims(readFileSync(join(root, 'fixtures', 'claims.json'), 'utf8'));
  return readScenario({ file: name, bytes }, { systems: SYSTEMS, claims }, NO_OVERRIDES);
}

const m4pro = (over: Partial<Scenario>): Report =>
  reportFrom(measurementsOf(), { ...shipped('m4pro-20k'), ...over });

/** The recorded run with changed facts, judged by the rules and budgets of quickstart, of which some have another limit. */
function quickstart(
  m: Partial<Measurements>,
  limits: Readonly<Record<string, number>> = {},
  altered: readonly string[] = [],
): Report {
  const { name, rules, budgets } = shipped('quickstart');
  const changed = budgets.map((one) => ({ ...one, limit: limits[one.id] ?? one.limit }));
  return reportFrom(measurementsOf(m), scenarioOf({ name, rules, altered, budgets: changed }));
}

const root = join(import.meta.dirname, '..', '..');
const late = { 'intent-p95': 1, 'intent-p99': 1, 'command-p95': 1 };
const disturbed: Partial<Measurements> = {
  ...withSeries({ 'host.foreignCpuSeconds': counter(1.2) }),
  foreign: ['tsc', 'node', 'chromium'].map((name, i) => ({ name, pid: 100_000 + i, cpuSeconds: 8 - i })),
};
const overloaded = {
  ...slowed('intent', 100, 9000),
  ending: {
    state: 'stoppedEarly',
    because: '100% of the intent operations of the last 5 s were skipped, failed or timed out',
  },
} as const;
const altered = ['load.operations.intent.perSecond=4000', 'load.operations.monsterCommand.perSecond=250000'];

/** Each with its exit code, and the lines of its compact summary at 80 columns. */
const runs: readonly (readonly [name: string, report: Report, exitCode: number, most: number])[] = [
  ['m4pro-20k', m4pro({}), 90, 60],
  ['m4pro-20k at a scale', m4pro({ scale: 0.05 }), 90, 60],
  ['the sample', JSON.parse(readFileSync(join(root, 'reports', 'sample', 'report.json'), 'utf8')), 0, 30],
  ['a pass', quickstart({}), 0, 30],
  ['one breached budget', quickstart({}, { 'server-memory': 0.1 }), 99, 30],
  ['breached latencies', quickstart({}, late), 99, 30],
  ['an overload', quickstart(overloaded, late, altered), 99, 30],
  ['a busy neighbour', quickstart(disturbed), 90, 30],
  ['a busy neighbour and breached latencies', quickstart(disturbed, late), 90, 30],
  ['a busy neighbour and an overload', quickstart({ ...disturbed, ...overloaded }, late), 90, 30],
  ['too few operations', quickstart({}, { 'intent-p95': 16.5, 'intent-p99': 21 }), 90, 30],
];

test.each(runs)('%s fits on a screen of 80, 100 and 120 columns', (_name, run, exitCode, most) => {
  expect(run.exitCode, run.headline).toBe(exitCode);
  for (const width of [80, 100, 120]) {
    const text = terminalSummary(run, { ...style, full: false, width }).trimEnd();
    const shown = text.split('\n');
    expect(shown.length, text).toBeLessThanOrEqual(most);
    expect(shown.slice(0, -1).filter((line) => line.length > width)).toEqual([]);
    const breached = run.rulings.filter(({ state }) => state === 'breached');
    for (const { id } of breached) expect(text).toContain(`✗ ${id}`);
    const all = terminalSummary(run, { ...style, width })
      .trimEnd()
      .split('\n');
    expect(all.slice(0, -1).filter((line) => line.length > width)).toEqual([]);
  }
});

test('an invalid run names the disturbance once in the compact summary, and the processes with --full', () => {
  const run = quickstart(disturbed);
  const text = terminalSummary(run, { ...style, full: false, width: 120 });
  expect(text).toMatch(
    /\n {2}INVALID {2}no conclusion: foreign-cpu: CPU used by processes outside the run is 60% \(at most 20%\)/,
  );
  expect(text.match(/foreign-cpu/g)).toHaveLength(1);
  expect(text).not.toContain('pid');
  expect(terminalSummary(run, style)).toContain('tsc (pid 100000)');
});

test('without colours there is no escape sequence, with them the text is the same', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const codes = /\u001b\[\d+m/g;
  const coloured = terminalSummary(report, { ...style, colour: true });
  expect(lines.join('\n')).not.toContain('\u001b');
  expect(coloured.match(codes)?.length).toBeGreaterThan(20);
  expect(coloured.replace(codes, '')).toBe(lines.join('\n'));
});

test('the summary has the scale, and whether generator and servers share a host', () => {
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

test('an error that a reason has already is not repeated', () => {
  const because = { ...failedRun(), errors: ['postgres: port 5432 is in use'] };
  const text = terminalSummary(reportFrom(because, scenarioOf()), style);
  expect(text).toContain('NO CONCLUSION');
  expect(text).not.toContain('error: ');
});

test('the full summary lists everything that --set changed', () => {
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
  expect(told).toMatch(/schedule lag\.+: p99 \S+ ms of the generator itself \S+ ms/);
  expect(told).toContain('generator calibration...: 100% of 31,500/s against null servers (target 21,000/s)');
  expect(told).toMatch(/other processes used 0\.9\d+% of the CPU/);
});

test('a run that failed before GO has a summary too', () => {
  const failed = terminalSummary(reportFrom(failedRun(), scenario), style);
  expect(failed).toContain('postgres: port 5432 is in use: stop what listens there');
  expect(failed).toContain('INVALID (93)');
  expect(failed).not.toMatch(/NaN|undefined|null/);
});

test('--quiet: the verdict is the last line, after a line for each thing that keeps it from a pass', () => {
  const passed = reportFrom(measurementsOf(), scenarioOf());
  expect(terminalVerdict(passed, style)).toMatch(/^PASS \(0\) .* reports\/recorded-20261121T113000Z\n$/);
  const told = terminalVerdict(report, style).split('\n');
  expect(told).toHaveLength(report.breachedBecause.length + 3);
  expect(told[0]).toMatch(/^breached: nasty\|<b> .*: limit < 1 ms, observed 20.9 ms$/);
  expect(told.slice(-2)).toEqual([
    'FAIL (99)  1 of 8 budgets breached, 4 not judged  reports/recorded-20261121T113000Z',
    '',
  ]);
  const [first, ...rest] = terminalVerdict(reportFrom(failedRun(), scenario), style).trimEnd().split('\n');
  expect(first).toBe('no conclusion: postgres: port 5432 is in use: stop what listens there');
  expect(rest.at(-1)).toMatch(/^INVALID \(93\) /);
});

test('connections that are opened under load are shown, and none are not', () => {
  expect(lines.join('\n')).not.toContain('opened under load');
  const { network } = report;
  const again = terminalSummary(
    { ...report, network: { ...network, handshakes: 147 } },
    { ...style, width: 200 },
  );
  expect(again).toContain('147 opened under load');
});
