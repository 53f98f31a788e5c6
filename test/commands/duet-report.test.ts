import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import type { Duet, DuetAttempt, DuetResult } from '../../src/compare/duet.ts';
import { versionOf } from '../../src/compare/next-trial.ts';
import { reported } from '../compare/trials.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const cwd = temporaryFolder(afterAll);

async function run(...args: readonly string[]): Promise<MemoryHost> {
  const host = memoryHost(args, { cwd });
  await main(host);
  return host;
}
const lastLine = (host: MemoryHost): string => host.out().trimEnd().split('\n').at(-1) ?? '';

const NOISE = [-8, 6, 3, -5, 9, -7, 2, -1, 5, -4, 7, -6];
let second = 0;

/** report.json of a run whose servers use so many microseconds for an operation. */
function reportOf(micros: number): string {
  second++;
  const { world } = reported();
  const of = (value: number) => ({ mean: value, min: value, max: value });
  return JSON.stringify({
    ...reported({ world: { ...world, cpuPercentTotal: of(micros / 40) } }),
    startedAt: new Date(Date.UTC(2026, 10, 30, 0, 0, second)).toISOString(),
  });
}

interface Made {
  readonly name: string;
  /** So much more CPU of the head, percent. */
  readonly more?: number;
  /** Trials of both versions. */
  readonly trials?: number;
  readonly result?: DuetResult | null;
  /** Attempts after them. */
  readonly others?: readonly Partial<DuetAttempt>[];
}

/** A folder as `capbench duet` leaves it. */
function writeDuet({ name, more = 0, trials = 12, result = null, others = [] }: Made): string {
  const version = (of: string) => ({ name: of, command: `node ${of}.mjs`, commit: null, changes: null });
  const attempt = (trial: number, over: Partial<DuetAttempt>): DuetAttempt => ({
    ...{ attempt: trial, trial, version: versionOf(trial), seed: 1, seconds: 10, bundle: `trial-${trial}` },
    ...{ outcome: 'pass', exitCode: 0, because: '3 of 3 budgets met', tookSeconds: 15 },
    ...{ startedAt: '2026-11-30T12:00:00.000Z', ...over },
  });
  const made = Array.from({ length: trials }, (_, i) => attempt(i + 1, {}));
  const duet: Duet = {
    ...{ schemaVersion: 1, kind: 'duet', capbench: '9.9.9', scenario: 'mine', system: 'own' },
    ...{ scenarioHash: 'abc', seed: 1, seconds: 10, fullSeconds: 30, result },
    gate: { thresholdPercent: 5, confidencePercent: 99, metrics: ['cpuPerOperation', 'answeredPercent'] },
    startedAt: '2026-11-30T12:00:00.000Z',
    host: { name: 'h', cpuModel: 'a CPU', cpus: 2 },
    ...{ base: version('old'), head: version('new') },
    attempts: [
      ...made,
      ...others.map((over, i) => attempt(trials + 1, { attempt: trials + 1 + i, ...over })),
    ],
  };
  const folder = join(cwd, name);
  for (const { trial, version: of, bundle } of made) {
    mkdirSync(join(folder, bundle), { recursive: true });
    const noisy = 1000 * (1 + (NOISE[trial % NOISE.length] ?? 0) / 1000);
    writeFileSync(
      join(folder, bundle, 'report.json'),
      reportOf(of === 'head' ? noisy * (1 + more / 100) : noisy),
    );
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'duet.json'), JSON.stringify(duet));
  return name;
}

const power: DuetResult = { stopped: 'power', because: '6 pairs of trials would show a change of 5%' };

test.each<[made: Made, code: number, says: RegExp]>([
  [{ name: 'same', result: power }, 0, /^ {2}PASS \(0\)/],
  [{ name: 'slow', more: 10, result: power }, 91, /^ {2}REGRESSION \(91\)/],
  [{ name: 'fast', more: -10, result: power }, 0, /^ {2}PASS \(0\)/],
  // Interrupted: what is known so far is no verdict.
  [{ name: 'begun', more: 10 }, 105, /^ {2}INTERRUPTED \(105\)/],
  [
    { name: 'one', trials: 1, result: { stopped: 'time', because: 'the 5 min are over' } },
    90,
    /NO CONCLUSION \(90\)/,
  ],
  [
    {
      ...{ name: 'down', result: { stopped: 'failed', because: 'trial 13, base: it did not start' } },
      others: [{ outcome: 'invalid', exitCode: 93, because: 'it did not start' }],
    },
    ...([93, /^ {2}FAILED \(93\)/] as const),
  ],
  [
    {
      ...{ name: 'lost', result: { stopped: 'failed', because: 'trial 13, base: lost' } },
      others: [{ outcome: 'fail', exitCode: 92, because: 'lost' }],
    },
    ...([92, /^ {2}FAILED \(92\)/] as const),
  ],
])('%j ends with %i', async (made, code, says) => {
  const folder = writeDuet(made);
  const host = await run('report', folder);
  expect(host.err()).toBe('');
  expect(host.ended()).toBe(code);
  expect(lastLine(host)).toMatch(says);
  expect(readFileSync(join(cwd, folder, 'summary.md'), 'utf8')).toContain(`(${code}): mine`);
  expect(readFileSync(join(cwd, folder, 'duet.html'), 'utf8')).toContain(`exit code ${code}`);
});

test('the change, every trial and every attempt without a conclusion are shown', async () => {
  const others = [{ outcome: 'invalid', exitCode: 90, because: 'foreign-cpu: 40%' } as const];
  const folder = writeDuet({ name: 'shown', more: 10, result: power, others });
  const host = await run('report', folder);
  expect(host.out()).toMatch(/^ {4}2 {2}head {2}PASS {5}CPU per operation, servers 1\.\d+ ms$/m);
  expect(host.out()).toMatch(/^ {3}13 {2}base {2}INVALID {2}foreign-cpu: 40%$/m);
  expect(host.out().replaceAll(/\s+/g, ' ')).toContain('6 pairs in 3.3 min, 1 attempt without a conclusion');
  const page = readFileSync(join(cwd, folder, 'duet.html'), 'utf8');
  expect(page).toContain('href="trial-12/report.html"');
  expect(page).toContain('foreign-cpu: 40%');
  const comparison = JSON.parse(readFileSync(join(cwd, folder, 'comparison.json'), 'utf8'));
  expect(comparison).toMatchObject({
    design: 'paired',
    outcome: 'regression',
    base: { name: 'old', counted: 6 },
  });
});

test.each<[format: string, has: RegExp]>([
  ['summary', /REGRESSION \(91\): mine/],
  [
    'comment',
    /^<!-- capbench:duet:mine -->\n### ❌ REGRESSION \(91\): mine, new against old\n[\s\S]*^\| ❌ \| CPU per operation, servers \| /m,
  ],
  [
    'annotations',
    /^::error title=mine%3A REGRESSION \(91\)::[\s\S]*^::error title=CPU per operation%2C servers%3A worse::/m,
  ],
  ['junit', /<failure type="regression" message="REGRESSION \(91\): /],
  ['smaller-is-better', /"name": "mine: cpuPerOperation.servers"/],
  ['bencher', /"cpuPerOperation\.servers \(us\)"/],
])('--format %s', async (format, has) => {
  const folder = existsSync(join(cwd, 'formats'))
    ? 'formats'
    : writeDuet({ name: 'formats', more: 10, result: power });
  const host = await run('report', folder, '--format', format);
  expect(host.out()).toMatch(has);
  expect(host.ended()).toBe(91);
});

test('a duet writes no junit.xml, is not compared with anything, and without one of its bundles it is refused', async () => {
  const folder = writeDuet({ name: 'refused', result: power });
  const host = await run('report', folder, '--junit', 'x.xml');
  expect(host.err()).toContain('a duet has no junit.xml');
  expect(host.ended()).toBe(104);
  const compared = await run('compare', folder, folder);
  expect(compared.err()).toContain('is a duet, which has both versions');
  expect(compared.ended()).toBe(104);
  writeFileSync(join(cwd, folder, 'trial-3', 'report.json'), '{');
  expect((await run('report', folder)).ended()).toBe(104);
  writeFileSync(join(cwd, folder, 'duet.json'), '{"kind":"duet"}');
  const broken = await run('report', folder);
  expect(broken.err()).toContain('duet.json is broken: schemaVersion');
  expect(broken.ended()).toBe(104);
});

test('of a duet that was interrupted no metric is an error, whatever it shows so far', async () => {
  const folder = writeDuet({ name: 'half', more: 10 });
  const host = await run('report', folder, '--format', 'annotations');
  expect(host.out()).toMatch(/^::error title=mine%3A INTERRUPTED \(105\)::.*\n$/);
});
