import { expect, test } from 'vitest';
import { DEFAULT_GATE, type Gate } from '../../src/compare/gate.ts';
import { HISTORY_RULES, type HistoryRules, reportHistory } from '../../src/compare/history.ts';
import { entryOf, type HistoryEntry, lineOf, readHistory } from '../../src/compare/history-entry.ts';
import type { Trial } from '../../src/compare/trial.ts';
import { CapbenchError } from '../../src/errors.ts';

const startOf = (number: number): string => new Date(Date.UTC(2026, 0, 1) + number * 3_600_000).toISOString();

const trial = (number: number, over: Partial<Trial> = {}): Trial => ({
  ...{ name: `reports/${number}`, scenario: 'small', system: 'own', outcome: 'pass', exitCode: 0 },
  ...{ headline: '1 of 1 budgets met', startedAt: startOf(number), commit: `c${number}`, seed: number },
  ...{ identity: { CPU: 'Example', cores: '2' }, versions: { Node: 'v22.12.0' } },
  metrics: { 'cpuPerOperation.servers': 100, answeredPercent: 100, 'latencyP95.look': 10 },
  ...{ gate: null, ...over },
});
const entry = (number: number, over: Partial<Trial> = {}): HistoryEntry => entryOf([trial(number, over)]);

const cpu = (value: number, others: Readonly<Record<string, number>> = {}): Pick<Trial, 'metrics'> => ({
  metrics: { 'cpuPerOperation.servers': value, answeredPercent: 100, 'latencyP95.look': 10, ...others },
});
/** Runs from a number on, each with a value of its own. */
const runs = (values: readonly number[], from = 0, over: Partial<Trial> = {}): readonly HistoryEntry[] =>
  values.map((value, i) => entry(from + i, { ...cpu(value + 0.1 * (i % 3)), ...over }));
const level = (count: number, value: number): readonly number[] => Array.from({ length: count }, () => value);

const report = (
  entries: readonly HistoryEntry[],
  {
    all = false,
    gate = DEFAULT_GATE,
    rules = {},
  }: { all?: boolean; gate?: Gate; rules?: Partial<HistoryRules> } = {},
) => reportHistory({ entries, problems: [] }, () => gate, { ...HISTORY_RULES, ...rules }, all);

test('the line of several trials has their means, without those that have no conclusion', () => {
  const three = entryOf([
    trial(1, cpu(100)),
    trial(2, { outcome: 'invalid', ...cpu(900), identity: { CPU: 'Example', cores: '2' } }),
    trial(3, { outcome: 'fail', ...cpu(110, { 'memoryPerPlayer.servers': 5 }) }),
  ]);
  expect(three).toMatchObject({ outcome: 'fail', trials: { counted: 2, of: 3 }, commit: 'c1' });
  expect(three.metrics).toEqual({
    'cpuPerOperation.servers': 105,
    answeredPercent: 100,
    'latencyP95.look': 10,
  });
  expect(entryOf([trial(1, { outcome: 'invalid' })])).toMatchObject({ outcome: 'invalid', metrics: {} });
});

test('trials that cannot be compared are no line', () => {
  const other = trial(2, { identity: { CPU: 'Other', cores: '2' } });
  expect(() => entryOf([trial(1), other])).toThrow(/reports\/2 has another CPU .* Other, expected Example/);
});

test('a line is the same run whoever reads it, and another run is another', () => {
  expect(entry(1).id).toBe(entry(1, { ...cpu(7), commit: null }).id);
  expect(entry(1).id).not.toBe(entry(2).id);
  expect(entry(1).id).not.toBe(entry(1, { scenario: 'other' }).id);
});

const text = (...entries: readonly HistoryEntry[]): string =>
  entries.map((one) => `${lineOf(one)}\n`).join('');

test('the union of several files, each run once, in the order of their start and then of their commit', () => {
  const [same, tie] = [entry(3), entry(3, { commit: 'a', seed: 99 })];
  const { entries, problems } = readHistory([
    { name: 'a.jsonl', text: text(entry(5), same, entry(1)) },
    { name: 'b.jsonl', text: text(tie, entry(2), same) },
    { name: 'c.jsonl', text: '' },
  ]);
  expect(entries.map(({ commit }) => commit)).toEqual(['c1', 'c2', 'a', 'c3', 'c5']);
  expect(problems).toEqual([]);
});

const [one, two] = [lineOf(entry(1)), lineOf(entry(2))];
test.each([
  ['a tail that was cut', `${one}\n${two.slice(0, 40)}`, [/line 2 was cut after 40 bytes/]],
  [
    'a cut line that others were added below',
    `${two.slice(0, 40)}\n${one}\n`,
    [/line 1 is no JSON, as of a line that was cut/],
  ],
  [
    'a mark of a merge',
    `<<<<<<< HEAD\n${one}\n=======\n>>>>>>> main\n`,
    [/line 1 is a mark/, /line 3/, /line 4/],
  ],
  ['an entry without its metrics', `${one}\n{"schemaVersion":1,"kind":"run"}\n`, [/line 2 is left out: id/]],
  ['empty lines', `\n\n${one}\r\n\n`, []],
])('nothing else is lost by %s', (_what, content, problems) => {
  const read = readHistory([{ name: 'h.jsonl', text: content }]);
  expect(read.entries).toEqual([entry(1)]);
  expect(read.problems).toHaveLength(problems.length);
  for (const [i, problem] of problems.entries()) expect(read.problems[i]).toMatch(problem);
});

test.each([
  [
    'no line that can be read',
    '{"a": 1}\nnonsense\n',
    /h\.jsonl is no history: h\.jsonl, line 1 is left out/,
  ],
  [
    'a later capbench',
    `${one}\n${one.replace('"schemaVersion":1', '"schemaVersion":2')}\n`,
    /line 2 is of a later capbench/,
  ],
])('refused: %s', (_what, content, says) => {
  const read = () => readHistory([{ name: 'h.jsonl', text: content }]);
  expect(read).toThrow(CapbenchError);
  expect(read).toThrow(says);
});

test('a recent change for the worse is a regression, named by its first run and the last before it', () => {
  const slower = report([...runs(level(20, 100)), ...runs(level(5, 120), 20)]);
  expect(slower).toMatchObject({ outcome: 'regression', exitCode: 91 });
  expect(slower.headline).toMatch(/^CPU per operation, servers is 20\.0% higher since c20, 2026-01-01$/);
  const [metric] = slower.series[0]?.metrics ?? [];
  expect(metric).toMatchObject({
    metric: 'cpuPerOperation.servers',
    gated: true,
    ruling: 'worse',
    changes: [{ run: 20, commit: 'c20', after: { commit: 'c19' }, ruling: 'worse' }],
  });
});

test('a change names the releases that came with it', () => {
  const newer = { versions: { Node: 'v22.13.0', kernel: '6.2' } };
  const [metric] =
    report([...runs(level(20, 100)), ...runs(level(5, 120), 20, newer)]).series[0]?.metrics ?? [];
  // What was not recorded before is not known to be another one.
  expect(metric?.changes[0]?.versions).toEqual(['Node v22.12.0 to v22.13.0']);
});

test.each([
  ['a change for the better', [...runs(level(20, 100)), ...runs(level(5, 80), 20)], 0, 'better'],
  ['a change that is not recent', [...runs(level(20, 100)), ...runs(level(11, 120), 20)], 0, 'steady'],
  [
    'a change that was taken back',
    [...runs(level(20, 100)), ...runs(level(5, 120), 20), ...runs(level(5, 100), 25)],
    0,
    'better',
  ],
  ['no change', runs(level(20, 100)), 0, 'steady'],
  ['a smaller change than the threshold', [...runs(level(20, 100)), ...runs(level(5, 104), 20)], 0, 'steady'],
  ['nine runs', runs(level(9, 100)), 90, 'too few runs'],
  ['nine runs that show a change', [...runs(level(5, 100)), ...runs(level(4, 200), 5)], 91, 'worse'],
])('%s', (_what, entries, exitCode, ruling) => {
  const read = report(entries);
  expect(read.exitCode).toBe(exitCode);
  expect(read.series[0]?.metrics[0]).toMatchObject({ gated: true, ruling });
});

test('higher is better for what says so, and what the gate does not name decides nothing', () => {
  const answered = (value: number) => (i: number) =>
    entry(i, { metrics: { answeredPercent: value + 0.01 * (i % 3) } });
  const fewer = [...Array(20).keys()].map((i) => answered(i < 15 ? 99 : 80)(i));
  expect(report(fewer)).toMatchObject({ exitCode: 91 });
  const late = [...Array(20).keys()].map((i) =>
    entry(i, cpu(100 + 0.1 * (i % 3), { 'latencyP95.look': i < 15 ? 10 : 30 })),
  );
  const read = report(late);
  expect(read.exitCode).toBe(0);
  expect(read.series[0]?.metrics.at(-1)).toMatchObject({ gated: false, ruling: 'worse' });
  expect(report(late, { gate: { ...DEFAULT_GATE, metrics: ['latencyP95'] } }).exitCode).toBe(91);
});

test('runs that cannot be compared are series of their own, and the newest of each scenario decides', () => {
  const elsewhere = { identity: { CPU: 'Other', cores: '2' } };
  const slow = [...runs(level(12, 100), 0, elsewhere), ...runs(level(5, 150), 12, elsewhere)];
  const entries = [...slow, ...runs(level(12, 300), 30)];
  const read = report(entries);
  expect(read).toMatchObject({ exitCode: 0, leftOut: 0 });
  expect(read.series.map(({ decides, runs, differs }) => [decides, runs.length, differs])).toEqual([
    [true, 12, []],
    [false, 17, ['CPU: Other']],
  ]);
  expect(report(entries, { all: true })).toMatchObject({ exitCode: 91 });
  const several = report([...slow, ...runs(level(12, 300), 30, { scenario: 'large' })]);
  expect(several.exitCode).toBe(91);
  expect(several.headline).toContain('CPU per operation, servers (small) is 49.9% higher');
});

test('runs without a conclusion are counted, and in no series', () => {
  const read = report([...runs(level(12, 100)), entry(40, { outcome: 'invalid' })]);
  expect(read).toMatchObject({ exitCode: 0, leftOut: 1 });
  expect(read.series[0]?.runs).toHaveLength(12);
  expect(report([entry(1, { outcome: 'invalid' })])).toMatchObject({
    exitCode: 90,
    headline: 'there is no run with a conclusion',
    series: [],
  });
});

test('a metric of the gate that is no longer measured is no pass', () => {
  const without = [...runs(level(12, 100)), entry(40, { metrics: { answeredPercent: 100 } })];
  expect(report(without)).toMatchObject({ exitCode: 90 });
  expect(
    report([...Array(12).keys()].map((i) => entry(i, { metrics: { 'latencyP95.look': 10 } }))),
  ).toMatchObject({
    exitCode: 90,
    headline: 'no metric of the gate was measured in small',
  });
});
