import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { scenarioHash, writeScenario } from '../../src/scenario/resolved.ts';
import { fluxScenario } from '../../src/systems/flux/scenario.ts';
import { failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { memoryHost } from '../memory-host.ts';

let bundle = '';
beforeEach(async () => {
  bundle = await mkdtemp(join(tmpdir(), 'capbench-test-'));
  await writeFile(join(bundle, 'scenario.yaml'), writeScenario(scenarioOf(), fluxScenario));
  await record(measurementsOf());
});
afterEach(() => rm(bundle, { recursive: true, force: true }));

const record = (m: Measurements): Promise<void> =>
  writeFile(
    join(bundle, 'measurements.json'),
    JSON.stringify({ ...m, scenarioHash: scenarioHash(scenarioOf()) }),
  );

const report = (...flags: string[]) => reportWithCharts('--no-charts', ...flags);

async function reportWithCharts(...flags: string[]) {
  const host = memoryHost(['report', bundle, ...flags]);
  const exitCode = await runCli(host);
  return { exitCode, out: host.out(), err: host.err() };
}

const rulings = async (): Promise<{ id: string; state: string }[]> =>
  JSON.parse(await readFile(join(bundle, 'report.json'), 'utf8')).rulings;

test('a bundle is judged and rendered again from only its measurements and its scenario', async () => {
  const { exitCode, out, err } = await reportWithCharts();
  expect(err).toBe('');
  expect(exitCode).toBe(0);
  expect(out).toContain('PASS (0)  7 of 7 budgets met, 4 not judged');
  expect((await readdir(bundle)).sort()).toEqual(
    ['charts', 'histograms', 'junit.xml', 'measurements.json', 'report.html', 'report.json'].concat([
      'scenario.yaml',
      'series.csv',
      'summary.md',
    ]),
  );
  expect(await readdir(join(bundle, 'charts'))).toHaveLength(5);
});

test('a scenario that was changed after the run is judged again, and the report says so', async () => {
  const [first] = scenarioOf().budgets;
  if (first === undefined) throw new Error('no budgets');
  await writeFile(
    join(bundle, 'scenario.yaml'),
    writeScenario(scenarioOf({ budgets: [first] }), fluxScenario),
  );
  const { err } = await report();
  expect(err).toContain('scenario.yaml was changed after the run');
  const written = JSON.parse(await readFile(join(bundle, 'report.json'), 'utf8'));
  expect(written.scenarioHash).toBe(scenarioHash(scenarioOf({ budgets: [first] })));
  expect(written.errors.join()).toContain('scenario.yaml was changed after the run');
});

test('with report.json deleted the rulings are the same; with a measurement changed, its ruling changes', async () => {
  await report();
  const first = await rulings();
  await rm(join(bundle, 'report.json'));
  await report();
  expect(await rulings()).toEqual(first);

  const m = measurementsOf();
  const due = {
    ...m.operations.intent.due,
    counts: [[40_000, 20_000]] as const,
    min: 40_000,
    max: 40_000,
    sum: 8e8,
  };
  // The latencies of rejected operations would contradict the change.
  const intent = { ...m.operations.intent, due, rejected: null };
  await record(measurementsOf({ operations: { ...m.operations, intent } }));
  expect((await report()).exitCode).toBe(99);
  const changed = (await rulings()).filter(({ state }, i) => state !== first[i]?.state);
  expect(changed.map(({ id, state }) => [id, state])).toEqual([['FLX-151', 'breached']]);
});

test('--out writes the reports there, and leaves the bundle unchanged', async () => {
  const out = join(bundle, 'verdict');
  const { exitCode, out: stdout, err } = await reportWithCharts('--out', out);
  expect([exitCode, err]).toEqual([0, '']);
  expect(stdout).toContain(out);
  expect((await readdir(out)).sort()).toEqual(
    ['charts', 'histograms', 'junit.xml', 'report.html', 'report.json'].concat(['series.csv', 'summary.md']),
  );
  expect((await readdir(bundle)).sort()).toEqual(['measurements.json', 'scenario.yaml', 'verdict']);
});

test('the verdict on a read-only bundle is still printed', async () => {
  await mkdir(join(bundle, 'report.json', 'in-the-way'), { recursive: true });
  const { exitCode, out, err } = await report();
  expect(exitCode).toBe(0);
  expect(out).toContain('PASS (0)');
  expect(err).toMatch(/^warning: .*report\.json cannot be written: .*--out FOLDER writes them elsewhere\n$/);
  expect((await report('--out', join(bundle, 'report.json'))).exitCode).toBe(0);
});

test('a read-only folder for --out is bad input', async () => {
  const { exitCode, err } = await report('--out', join(bundle, 'scenario.yaml'));
  expect(exitCode).toBe(104);
  expect(err).toContain('cannot be written');
});

test('the exit code is that of the verdict, even for a run that never started', async () => {
  await record(failedRun());
  const { exitCode, out } = await report();
  expect(exitCode).toBe(93);
  expect(out).toContain('INVALID (93)');
});

test('--json prints only report.json on stdout, and --quiet only the verdict', async () => {
  const { out } = await report('--json');
  expect(JSON.parse(out)).toEqual(JSON.parse(await readFile(join(bundle, 'report.json'), 'utf8')));
  expect((await report('--quiet')).out).toMatch(/^PASS \(0\) .*\n$/);
});

test('an older bundle that contains a secret is reported without it', async () => {
  await record(measurementsOf({ errors: ['postgres://ann:hunter2@db: refused', 'token s3cret-4711'] }));
  const host = memoryHost(['report', bundle, '--no-charts'], { env: { PGPASSWORD: 's3cret-4711' } });
  expect(await runCli(host)).toBe(0);
  const files = (await readdir(bundle)).filter((name) => /^(report|junit|summary|series)/.test(name));
  expect(files).toHaveLength(5);
  for (const name of files) {
    expect(await readFile(join(bundle, name), 'utf8'), name).not.toMatch(/hunter2|s3cret/);
  }
  expect(await readFile(join(bundle, 'report.json'), 'utf8')).toContain('postgres://(redacted)@db: refused');
  expect(host.out() + host.err()).not.toMatch(/hunter2|s3cret/);
});

test('an unreadable file is named, with exit code 104', async () => {
  await writeFile(join(bundle, 'measurements.json'), '{');
  const broken = await report();
  expect(broken.exitCode).toBe(104);
  expect(broken.err).toContain(join(bundle, 'measurements.json'));

  await record(measurementsOf());
  await writeFile(join(bundle, 'scenario.yaml'), 'load: everything\n');
  const scenario = await report();
  expect(scenario.exitCode).toBe(104);
  expect(scenario.err).toContain('scenario.yaml');

  await rm(bundle, { recursive: true });
  const missing = await report();
  expect(missing.exitCode).toBe(104);
  expect(missing.err).toContain('does not exist');
});
