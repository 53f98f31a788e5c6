import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { memoryHost } from '../memory-host.ts';
import { reportFrom } from '../report/report-of.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const report = reportFrom(measurementsOf(), scenarioOf({ budgets: [] }));

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

/** A bundle as `run` leaves it, as far as a history reads it. `cpu`: percent of what the recorded run used. */
function bundle(
  name: string,
  number: number,
  cpu = 100,
  over: Readonly<Record<string, unknown>> = {},
): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  const { cpuPercentTotal } = report.world;
  const mean = ((cpuPercentTotal.mean ?? 0) * (cpu + 0.1 * (number % 3))) / 100;
  const startedAt = new Date(Date.UTC(2026, 5, 1, number)).toISOString();
  const world = { ...report.world, cpuPercentTotal: { ...cpuPercentTotal, mean } };
  writeFileSync(
    join(path, 'report.json'),
    JSON.stringify({ ...report, outcome: 'pass', exitCode: 0, startedAt, seed: number, world, ...over }),
  );
  return name;
}

async function cli(...args: string[]) {
  const host = memoryHost(['history', ...args], { cwd: folder });
  const exitCode = await runCli(host);
  return { exitCode, out: host.out(), err: host.err() };
}
const lines = (): readonly string[] =>
  readFileSync(join(folder, 'h', 'history.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1);

test('runs are added once, each a line; a folder of trials is one', async () => {
  expect(await cli('add', 'h', bundle('a', 1), bundle('b', 2), 'a')).toMatchObject({ exitCode: 0, err: '' });
  const again = await cli('add', 'h', 'b', bundle('c', 3));
  expect(again.out).toMatch(/^already there: .*\nadded: .*\nh has 3 lines\n$/);
  const trials = [1, 2].map((trial) => {
    bundle(`t/trials/${trial}`, 10 + trial);
    return { trial };
  });
  writeFileSync(
    join(folder, 't', 'trials.json'),
    JSON.stringify({ requested: 2, sameServer: false, trials }),
  );
  expect((await cli('add', 'h', 't')).out).toContain(', 2 of 2 trials: pass\n');
  expect(lines().map((line) => JSON.parse(line).trials.of)).toEqual([1, 1, 1, 2]);
  expect(readFileSync(join(folder, 'h', '.gitattributes'), 'utf8')).toContain('*.jsonl merge=union');
});

test('several that add at once lose nothing, and what a kill has cut costs its own line only', async () => {
  const names = Array.from({ length: 12 }, (_, i) => bundle(`n${i}`, i));
  await cli('add', 'h', 'n0');
  appendFileSync(join(folder, 'h', 'history.jsonl'), '{"schemaVersion":1,"kind":"ru');
  const all = await Promise.all(names.map((name) => cli('add', 'h', name)));
  expect(all.map(({ exitCode }) => exitCode)).toEqual(names.map(() => 0));
  const shown = JSON.parse((await cli('show', 'h', '--json')).out);
  expect(shown.series).toHaveLength(1);
  expect(shown.series[0].runs).toHaveLength(12);
  expect(shown.notes).toEqual([expect.stringMatching(/history\.jsonl, line 2 is no JSON/)]);
});

test('a tail that was cut is said, and the next line begins on its own', async () => {
  await cli('add', 'h', bundle('a', 1));
  appendFileSync(join(folder, 'h', 'history.jsonl'), '{"half');
  const { exitCode, err } = await cli('add', 'h', bundle('b', 2));
  expect({ exitCode, err }).toEqual({
    exitCode: 0,
    err: expect.stringMatching(/^warning: h\/history\.jsonl, line 2 was cut after 6 bytes, and is left out/),
  });
  expect(lines().map((line) => line.slice(0, 8))).toEqual(['{"schema', '{"half', '{"schema']);
});

test('git merges two branches that both added runs, without a conflict', async () => {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      ...{ cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    });
  const commit = (): void => {
    git('add', 'h');
    git('commit', '-q', '-m', 'runs');
  };
  git('init', '-q', '-b', 'main');
  await cli('add', 'h', bundle('a', 1));
  commit();
  git('checkout', '-q', '-b', 'other');
  await cli('add', 'h', bundle('b', 2));
  commit();
  git('checkout', '-q', 'main');
  await cli('add', 'h', bundle('c', 3), bundle('d', 4));
  commit();
  git('merge', '-q', 'other', '-m', 'both');
  const { series, notes } = JSON.parse((await cli('show', 'h', '--json')).out);
  expect(series[0].runs.map(({ startedAt }: { startedAt: string }) => startedAt.slice(11, 13))).toEqual([
    ...['01', '02', '03', '04'],
  ]);
  expect(notes).toEqual([]);
});

/** Runs before and after a change of the servers' CPU. */
async function filled(before: number, after: number, cpu = 120): Promise<void> {
  const names = Array.from({ length: before + after }, (_, i) =>
    bundle(`n${i}`, i, i < before ? 100 : cpu, { commit: `${i}`.padStart(40, '0') }),
  );
  await cli('add', 'h', ...names);
}

test('check: 91 for a recent change for the worse, by what the options say, and the verdict last', async () => {
  await filled(15, 5);
  const { exitCode, out } = await cli('check', 'h');
  expect(exitCode).toBe(91);
  expect(out).toMatch(
    /\n {2}REGRESSION \(91\) {2}CPU per operation, servers is 20\.\d% higher since 00000000, /,
  );
  expect((await cli('check', 'h', '--quiet')).out.split('\n')).toHaveLength(2);
  const others: readonly (readonly [readonly string[], number])[] = [
    [['--recent', '4'], 0],
    [['--threshold', '30%'], 0],
    [['--metric', 'answeredPercent'], 0],
    [['--metric', 'cpuPerOperation.servers'], 91],
    [['--least-runs', '21', '--threshold', '30%'], 90],
    [['--json', '--confidence', '95'], 91],
  ];
  for (const [options, code] of others)
    expect([options, (await cli('check', 'h', ...options)).exitCode]).toEqual([options, code]);
  expect((await cli('show', 'h')).exitCode).toBe(0);
});

test('check: 90 with too few runs, and the metrics that lack them', async () => {
  await filled(5, 0);
  const { exitCode, out } = await cli('check', 'h');
  expect(exitCode).toBe(90);
  expect(out).toContain('INCONCLUSIVE (90)  5 runs, and at least 10 are needed\n');
});

test('show writes a page, and files of other jobs beside the own one are read', async () => {
  await filled(8, 0);
  mkdirSync(join(folder, 'other'));
  await cli('add', 'other', bundle('x', 50), bundle('y', 51));
  const theirs = readFileSync(join(folder, 'other', 'history.jsonl'));
  writeFileSync(join(folder, 'h', 'job-2.jsonl'), theirs);
  const { exitCode, out } = await cli('show', 'h', '--html', 'page/history.html');
  expect(exitCode).toBe(0);
  expect(out).toMatch(/recorded: 10 runs on Example CPU/);
  expect(readFileSync(join(folder, 'page', 'history.html'), 'utf8')).toContain('<figure id="chart-series-1-');
});

test.each([
  ['a folder that is not there', ['check', 'nowhere'], 'nowhere does not exist'],
  ['a folder without lines', ['show', '.'], 'holds no history'],
  ['a bundle as the history', ['add', 'a', 'a'], 'a is a bundle, and no history'],
  ['no bundle', ['add', 'h', 'nowhere'], 'nowhere/report.json does not exist'],
  ['another kind of document', ['add', 'h', 'search'], 'of a search, whose steps'],
  ['an unknown metric', ['check', 'h', '--metric', 'speed'], '--metric: got "speed"'],
  ['too small a window', ['check', 'h', '--window', '3'], '--window: got 3, expected 6 or more'],
  ['a page over the history', ['show', 'h', '--html', 'h/history.jsonl'], 'is an input of this command'],
])('104: %s', async (_what, args, says) => {
  bundle('a', 1);
  bundle('b', 2);
  await cli('add', 'h', 'b');
  const before = lines();
  mkdirSync(join(folder, 'search'));
  writeFileSync(join(folder, 'search', 'report.json'), JSON.stringify({ kind: 'search' }));
  const { exitCode, out, err } = await cli(...args);
  expect({ exitCode, out }).toEqual({ exitCode: 104, out: '' });
  expect(err).toContain(says);
  expect(lines()).toEqual(before);
});

test('a file that is no history is unreadable: 104', async () => {
  mkdirSync(join(folder, 'h'));
  writeFileSync(join(folder, 'h', 'history.jsonl'), 'hello\n');
  for (const verb of ['check', 'show']) expect((await cli(verb, 'h')).exitCode).toBe(104);
  expect((await cli('add', 'h', bundle('a', 1))).exitCode).toBe(104);
});
