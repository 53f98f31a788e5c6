import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { reported } from '../compare/trials.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const cwd = temporaryFolder(afterAll);

async function run(...args: readonly string[]): Promise<MemoryHost> {
  const host = memoryHost(args, { cwd });
  await main(host);
  return host;
}

const compare = (...args: readonly string[]): Promise<MemoryHost> => run('compare', ...args);

let second = 0;

/** report.json of a run whose servers use so many microseconds for an operation. */
function reportOf(micros: number, over: object = {}): string {
  second++;
  const figures = (value: number) => ({ mean: value, min: value, max: value });
  const { world } = reported();
  return JSON.stringify({
    ...reported({ world: { ...world, cpuPercentTotal: figures(micros / 40) } }),
    startedAt: new Date(Date.UTC(2026, 10, 30, 0, 0, second)).toISOString(),
    ...over,
  });
}

function writeBundle(folder: string, content: string): string {
  mkdirSync(join(cwd, folder), { recursive: true });
  writeFileSync(join(cwd, folder, 'report.json'), content);
  return folder;
}

/** A folder as `run --trials` leaves it. */
function writeTrials(folder: string, micros: readonly number[], over: object = {}): string {
  for (const [i, value] of micros.entries())
    writeBundle(join(folder, 'trials', `${i + 1}`), reportOf(value, over));
  const trials = micros.map((_, i) => ({ trial: i + 1 }));
  writeFileSync(
    join(cwd, folder, 'trials.json'),
    JSON.stringify({ requested: micros.length, sameServer: false, trials }),
  );
  return folder;
}

const NOISE = [-8, 6, 3, -5, 9, -7, 2, -1, 5, -4];
const around = (micros: number): readonly number[] => NOISE.map((one) => micros + (one * micros) / 1000);

const before = writeTrials('main', around(1000));
const same = writeTrials('same', around(1001));
const slow = writeTrials('slow', around(1100));

const lastLine = (host: MemoryHost): string => host.out().trimEnd().split('\n').at(-1) ?? '';

test('a version that is not worse: 0, the verdict on the last line', async () => {
  const host = await compare(before, same);
  expect(host.ended()).toBe(0);
  expect(lastLine(host)).toMatch(/^ {2}PASS \(0\) {2}none of \d metrics is worse by more than 5%/);
  expect(host.out()).toContain('main (10 trials) against head same (10 trials)');
  expect(host.err()).toBe('');
});

test('a regression: 91, and what became worse', async () => {
  const host = await compare(before, slow);
  expect(host.ended()).toBe(91);
  expect(lastLine(host)).toBe('  REGRESSION (91)  CPU per operation, servers is 10.0% higher');
  expect((await compare(slow, before)).ended()).toBe(0);
  const quiet = await compare(before, slow, '--quiet');
  expect(quiet.out()).toBe('REGRESSION (91)  CPU per operation, servers is 10.0% higher\n');
});

test('threshold, confidence and metrics by flag', async () => {
  expect((await compare(before, slow, '--threshold', '15%')).ended()).toBe(0);
  expect((await compare(before, slow, '--metric', 'bytesPerOperation')).ended()).toBe(0);
  const host = await compare(before, slow, '--metric', 'default', '--metric', 'latencyP95', '--json');
  const { metrics, thresholdPercent, confidencePercent } = JSON.parse(host.out());
  expect([thresholdPercent, confidencePercent]).toEqual([5, 99]);
  expect(metrics.find(({ metric }: { metric: string }) => metric === 'latencyP95.intent').gated).toBe(true);
});

test('one run of each is never a pass', async () => {
  const host = await compare(writeBundle('one', reportOf(1000)), writeBundle('other', reportOf(1000)));
  expect(host.ended()).toBe(90);
  expect(lastLine(host)).toContain('NO CONCLUSION (90)');
  expect(host.out()).toContain('capbench run --trials');
});

test('several bundles of each, a folder of bundles, a link to one, and a report.json', async () => {
  const names = around(1000).map((micros, i) => writeBundle(join('many', `run-${i}`), reportOf(micros)));
  symlinkSync(join(cwd, 'many', 'run-3'), join(cwd, 'many', 'latest'));
  const [first = '', ...rest] = names;
  const [slowest, ...others] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((trial) =>
    join('slow', 'trials', `${trial}`),
  );
  const host = await compare('--base', first, ...rest, '--head', slowest ?? '', ...others, '--json');
  expect(host.ended()).toBe(91);
  const whole = await compare('many', 'slow', '--json');
  expect(JSON.parse(whole.out()).base).toMatchObject({ name: 'many', counted: 10 });
  expect(JSON.parse(whole.out()).metrics).toEqual(JSON.parse(host.out()).metrics);
  const link = await compare('many/latest', 'slow/trials/1/report.json', '--json');
  expect(JSON.parse(link.out())).toMatchObject({ base: { counted: 1 }, head: { counted: 1 }, exitCode: 90 });
});

test('another machine is refused by name', async () => {
  const { host: machine, stack } = reported();
  const elsewhere = writeTrials('elsewhere', around(1000), {
    host: { ...machine, cpuModel: 'Another CPU', nodeMajor: 99 },
    stack: { ...stack, applied: { ...stack.applied, synchronous_commit: 'off' } },
  });
  const host = await compare(before, elsewhere);
  expect(host.ended()).toBe(90);
  for (const what of ['CPU: Example CPU', 'Node major: 20 in base, 99 in head', 'setting synchronous_commit'])
    expect(host.out()).toContain(what);
  expect(lastLine(host)).toContain('not comparable: CPU');
});

test('the gate of the head’s scenario counts, and it is said where the base has another', async () => {
  const gated = writeTrials('gated', around(1100), { gate: { threshold: '20%' } });
  const host = await compare(before, gated);
  expect(host.ended()).toBe(0);
  expect(host.out()).toContain("gate of the head's scenario is not that of the base's");
});

test('pairs, and files that a script expects', async () => {
  const host = await compare(
    before,
    slow,
    '--paired',
    '--out',
    'to',
    '--summary',
    'c/c.md',
    '--report',
    'c/c.html',
  );
  expect(host.ended()).toBe(91);
  expect(lastLine(host)).toContain('to/comparison.html');
  const read = (path: string): string => readFileSync(join(cwd, path), 'utf8');
  expect(JSON.parse(read('to/comparison.json'))).toMatchObject({ design: 'paired', exitCode: 91 });
  expect(read('to/comparison.html')).toBe(read('c/c.html'));
  expect(read('to/comparison.md')).toBe(read('c/c.md'));
  expect(read('c/c.md')).toMatch(/^### ❌ REGRESSION \(91\): my-world\n/);
  expect(read('c/c.html')).toContain('CPU per operation, servers is 10.0% higher.');
});

mkdirSync(join(cwd, 'empty'));
mkdirSync(join(cwd, 'unjudged'));
writeFileSync(join(cwd, 'unjudged', 'measurements.json'), '{}');
mkdirSync(join(cwd, 'searched'));
writeFileSync(join(cwd, 'searched', 'search.json'), '{"kind":"search"}');
writeFileSync(join(cwd, 'sizing.json'), '{"kind":"sizing"}');
writeBundle('damaged', '{"schemaVersion":1');
writeBundle('strange', '{"schemaVersion":1,"scenario":"x"}');
writeFileSync(join(cwd, 'same.yaml'), 'a: 1');

test.each([
  [[], 'no base is given'],
  [['main'], 'no head is given'],
  [['nowhere', 'main'], 'BASE: nowhere does not exist'],
  [['main', ''], 'HEAD: got an empty name'],
  [['main', 'empty'], 'HEAD: empty holds no run'],
  [['main', 'unjudged'], 'unjudged has no report.json'],
  [['main', 'searched'], 'searched is a search, whose steps have different loads'],
  [['main', 'searched/search.json'], 'it is of a search'],
  [['sizing.json', 'main'], 'it is a sizing'],
  [['main', 'damaged'], 'damaged/report.json is broken'],
  [['main', 'strange'], 'strange/report.json is not of a run'],
  [['main', 'same.yaml'], 'same.yaml is broken'],
  [['main', 'main'], 'main/trials/1 is in the base and in the head'],
  [['main', 'slow', '--threshold', 'five'], '--threshold: got "five"'],
  [['main', 'slow', '--confidence', '50'], '--confidence: got "50"'],
  [['main', 'slow', '--metric', 'speed'], '--metric: got "speed"'],
  [['main', 'slow/trials/1', '--paired'], '--paired: the base has 10 trials and the head 1'],
  [['main', 'slow', '--summary', 'main/trials/1/report.json'], 'is an input of this command'],
])('%j is refused', async (args, message) => {
  const host = await compare(...args);
  expect(host.err()).toContain(message);
  expect(host.err()).toContain('hint: ');
  expect(host.ended()).toBe(104);
  expect(host.out()).toBe('');
});

test('a copy of a run does not pass for another trial', async () => {
  writeBundle('copy', readFileSync(join(cwd, 'main', 'trials', '1', 'report.json'), 'utf8'));
  const host = await compare('--base', 'main', 'copy', '--head', 'slow');
  expect(host.err()).toContain('main/trials/1 and copy are the same run');
  expect(host.ended()).toBe(104);
});

test('a baseline that cannot be read ends a run before anything is started', async () => {
  const host = await run('run', 'quickstart', '--baseline', 'nowhere');
  expect(host.err()).toContain('--baseline: nowhere does not exist');
  expect(host.ended()).toBe(104);
  expect((await run('run', 'quickstart', '--metric', 'speed')).err()).toContain('--metric: got "speed"');
  const without = await run('run', 'quickstart', '--threshold', '10%');
  expect(without.err()).toContain('--threshold is only for --baseline');
  expect(without.ended()).toBe(104);
});

test('--format prints a comment, with the same exit code; figures for a history are those of runs', async () => {
  const host = await compare(before, slow, '--format', 'comment');
  expect(host.ended()).toBe(91);
  expect(host.out()).toMatch(/^<!-- capbench:comparison:[\w-]+ -->\n### ❌ REGRESSION \(91\): /);
  expect((await compare(before, slow, '--format', 'bencher')).ended()).toBe(104);
  expect((await compare(before, slow, '--format', 'junit', '--json')).ended()).toBe(104);
});
