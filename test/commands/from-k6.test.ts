import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { writeScenario } from '../../src/scenario/resolved.ts';
import { fluxScenario } from '../../src/systems/flux/scenario.ts';
import { k6Scenario, k6SummaryOf, type SummaryChanges } from '../fixtures/k6-summary-of.ts';
import { memoryHost } from '../memory-host.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capbench-test-'));
  await writeFile(join(folder, 'world.yaml'), writeScenario(k6Scenario(), fluxScenario));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const record = (name: string, changes: SummaryChanges = {}): Promise<void> =>
  writeFile(join(folder, name), JSON.stringify(k6SummaryOf(k6Scenario(), changes)));

async function report(...args: string[]) {
  const host = memoryHost(['report', ...args], { cwd: folder });
  const exitCode = await runCli(host);
  return { exitCode, out: host.out(), err: host.err() };
}

test('a summary is judged by the scenario that was exported', async () => {
  await record('one.json');
  const { exitCode, out, err } = await report('--scenario', './world.yaml', '--from-k6', 'one.json');
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
  expect(out).toContain('PASS (0)  2 of 2 budgets met, 1 not judged  one.json');
  expect(out).toContain('not checked, since a k6 summary does not hold it: steal-mean');
  expect(await readdir(folder)).toEqual(['one.json', 'world.yaml']);
});

test('--out writes the verdict for scripts and CI', async () => {
  await record('a.json', { of: 2, intent: { skipped: 50 } });
  await record('b.json', { of: 2, part: 2, intent: { skipped: 50 } });
  const files = ['--from-k6', 'a.json', 'b.json', '--out', 'verdict', '--json'];
  const { exitCode, out } = await report('--scenario', './world.yaml', ...files);
  expect(exitCode).toBe(99);
  const written = await readFile(join(folder, 'verdict', 'k6-report.json'), 'utf8');
  expect(out).toBe(written);
  expect(JSON.parse(written)).toMatchObject({
    ...{ source: 'k6', outcome: 'fail', exitCode: 99, summaries: 2, startedAt: '2026-09-21T14:13:20.000Z' },
    load: { peakCcu: 100, operations: { intent: { scheduled: 2000, skipped: 100 } } },
    breachedBecause: [expect.stringContaining('load not sustained (load-sustained.intent): 95')],
  });
  const junit = await readFile(join(folder, 'verdict', 'junit.xml'), 'utf8');
  expect(junit).toContain('tests="3" failures="1" errors="0" skipped="1"');
  expect(junit).toContain('not applicable: a k6 summary does not hold it');
});

test('--quiet prints only the verdict', async () => {
  await record('a.json', { of: 2 });
  await record('b.json', { of: 2, part: 2 });
  const { out } = await report('--quiet', '--scenario', './world.yaml', '--from-k6', 'a.json', 'b.json');
  expect(out).toBe('PASS (0)  2 of 2 budgets met, 1 not judged  2 summaries\n');
});

test('the summary of another scenario is refused', async () => {
  await record('one.json');
  const scaled = ['--scenario', './world.yaml', '--seed', '7', '--from-k6', 'one.json'];
  const { exitCode, out, err } = await report(...scaled);
  expect({ exitCode, out }).toEqual({ exitCode: 104, out: '' });
  expect(err).toContain('one.json is of the scenario');
  expect(err).toContain('hint: name the scenario that was exported, with the same --set');
});

const started = (seconds: number) => ({
  capbench_go: { type: 'gauge', contains: 'default', values: { value: 1.79e12 + 1e3 * seconds } },
});

test.each<[what: string, first: SummaryChanges, second: SummaryChanges, says: string]>([
  ['given twice', { of: 2 }, { of: 2, part: 2, origin: { process: 'k6-1' } }, 'the same process of k6'],
  ['of the same part', { of: 2 }, { of: 2, origin: { process: 'k6-2' } }, 'made the same part of the load'],
  ['of the whole and a part', {}, { of: 4, part: 2 }, '(1/4:2/4)'],
  [
    'begun after the other',
    { of: 2 },
    { of: 2, part: 2, metrics: started(20) },
    'b.json began 20 s after a.json',
  ],
  [
    'begun long before',
    { of: 2, metrics: started(9e4) },
    { of: 2, part: 2 },
    'a.json began 90,000 s after b.json',
  ],
  [
    'of another run',
    { of: 2, origin: { run: 'a' } },
    { of: 2, part: 2, origin: { run: 'b' } },
    'the run "b", expected the run "a"',
  ],
  [
    'of a run without a name',
    { of: 2, origin: { run: 'a' } },
    { of: 2, part: 2 },
    'a run without a name, expected the run "a"',
  ],
])('a second summary is refused that is %s', async (_what, first, second, says) => {
  await record('a.json', first);
  await record('b.json', second);
  const { exitCode, out, err } = await report('--scenario', './world.yaml', '--from-k6', 'a.json', 'b.json');
  expect({ exitCode, out }).toEqual({ exitCode: 104, out: '' });
  expect(err).toContain(says);
});

test('the processes of one run may start a little apart', async () => {
  await record('a.json', { of: 2, metrics: started(19) });
  await record('b.json', { of: 2, part: 2 });
  const { exitCode } = await report('--scenario', './world.yaml', '--from-k6', 'a.json', 'b.json');
  expect(exitCode).toBe(0);
});

test.each<[what: string, origin: Readonly<Record<string, unknown>>, wanted: readonly string[], exit: number]>(
  [
    ['of the run that is asked for', { run: 'job-2' }, ['--run', 'job-2'], 0],
    ['that an earlier run left', { run: 'job-1' }, ['--run', 'job-2'], 104],
    ['of a k6 that was given no run name', {}, ['--run', 'job-2'], 104],
    ['that has a run name without --run', { run: 'job-1' }, [], 0],
    ['without figures', { failed: 'the run ended before its load began' }, [], 104],
  ],
)('a summary %s', async (_what, origin, wanted, exit) => {
  await record('one.json', { origin });
  const { exitCode } = await report('--scenario', './world.yaml', ...wanted, '--from-k6', 'one.json');
  expect(exitCode).toBe(exit);
});

test.each([{ seed: 2 }, { players: 101 }, { commandsPerPost: 20 }, { durationSeconds: 10 }])(
  'the summary of a modified script is refused: %o',
  async (origin) => {
    await record('one.json', { origin });
    const { exitCode, err } = await report('--scenario', './world.yaml', '--from-k6', 'one.json');
    expect(exitCode).toBe(104);
    expect(err).toContain(
      `one.json has ${Object.keys(origin)[0]} ${Object.values(origin)[0]}, and its scenario`,
    );
  },
);

test('CAPBENCH_RUN names the run, too', async () => {
  await record('one.json', { origin: { run: 'job-1' } });
  const args = ['report', '--scenario', './world.yaml', '--from-k6', 'one.json'];
  const host = memoryHost(args, { cwd: folder, env: { CAPBENCH_RUN: 'job-2' } });
  expect(await runCli(host)).toBe(104);
  expect(host.err()).toContain('one.json is of the run "job-1", expected the run "job-2"');
});

test.each<[string, readonly string[], string]>([
  ['a bundle as well', ['reports', '--scenario', './world.yaml', '--from-k6', 'one.json'], 'one of the two'],
  ['an empty name', ['--run', '', '--scenario', './world.yaml', '--from-k6', 'one.json'], '--run: no name'],
  ['no scenario', ['--from-k6', 'one.json'], '--scenario is missing'],
  ['neither', [], 'no bundle is given'],
  ['an option that changes nothing', ['reports', '--scale', '2'], '--scale is only for --from-k6'],
  ['a --set that changes nothing', ['reports', '--set', 'seed=1'], '--set is only for --from-k6'],
  ['no such file', ['--scenario', './world.yaml', '--from-k6', 'two.json'], 'two.json does not exist'],
  ['a folder', ['--scenario', './world.yaml', '--from-k6', '.'], '. is not a file'],
  ['is not UTF-8 text', ['--scenario', './world.yaml', '--from-k6', 'bytes.json'], 'is not UTF-8 text'],
  ['another file', ['--scenario', './world.yaml', '--from-k6', 'world.yaml'], 'is not JSON'],
  [
    'no place for --out',
    ['--scenario', './world.yaml', '--out', 'one.json/x', '--from-k6', 'one.json'],
    'one.json/x',
  ],
])('bad input is reported without a stack trace: %s', async (_what, args, says) => {
  await record('one.json');
  await writeFile(join(folder, 'bytes.json'), Buffer.from([0x7b, 0xff, 0x7d]));
  const { exitCode, out, err } = await report(...args);
  expect({ exitCode, out }).toEqual({ exitCode: 104, out: '' });
  expect(err).toContain(says);
  expect(err).not.toContain('    at ');
});
