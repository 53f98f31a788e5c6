import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { LOST_NOTHING, settled } from '../counts.ts';
import { answeredIn, BUNDLE_FILES, capbench, root, type Started, small } from './capbench.ts';

/** `report` gives the same verdict from only the bundle, and another when a measurement is changed. */
async function isJudgedAgain(run: Started): Promise<void> {
  const bundle = join(run.out, 'latest');
  const first = run.report();
  rmSync(join(bundle, 'report.json'));
  await capbench(['report', bundle]).ends(first.exitCode);
  expect(run.report()).toEqual(first);

  // One acknowledged operation is removed.
  const { integrity, ...measurements } = run.measurements();
  const changed = { ...measurements, integrity: { ...integrity, lost: 1 } };
  writeFileSync(join(bundle, 'measurements.json'), JSON.stringify(changed));
  const { stdout } = await capbench(['report', bundle, '--json']).ends(92);
  const lost = run.report().rulings.find(({ id }) => id === 'lost');
  expect(lost).toMatchObject({ state: 'breached', observed: 1 });
  expect(JSON.parse(stdout).outcome).toBe('fail');
}

test('a run from a scenario file to a verdict and a bundle, which report judges again', {
  timeout: 120_000,
}, async () => {
  const run = capbench(['run', small, '--set', 'calibration.canary=true'], { asShipped: true });
  const { code, stdout } = await run.ends(0, 99);
  const report = run.report();
  expect(report.host.canaryDriftPercent).not.toBeNull();

  // The exit code is the verdict's, and the verdict agrees with its rulings, however fast this machine is.
  expect(report.exitCode).toBe(code);
  expect(report.outcome).toBe(code === 0 ? 'pass' : 'fail');
  expect(report.rulings.some(({ state }) => state === 'breached')).toBe(code === 99);
  expect(report.rulings.map(({ id }) => id)).toEqual(['connected', 'answers', 'lost']);

  const bundle = join(run.out, readlinkSync(join(run.out, 'latest')));
  for (const name of BUNDLE_FILES) expect(existsSync(join(bundle, name)), name).toBe(true);
  expect(readdirSync(join(bundle, 'charts')).length).toBeGreaterThanOrEqual(5);
  expect(readdirSync(join(bundle, 'histograms')).length).toBeGreaterThanOrEqual(2);
  expect(readdirSync(join(bundle, 'logs'))).toContain('postgres.log');
  const schema = JSON.parse(readFileSync(join(root, 'fixtures', 'schema', 'report.schema.json'), 'utf8'));
  const validate = new Ajv2020({ strict: false }).compile(schema);
  expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
  expect(stdout.trim().split('\n').at(-1)).toContain(code === 0 ? 'PASS' : 'FAIL');

  // The due operations are known: 120 intents and 2,000 commands a second for 3 s.
  const { operations, wholeRun } = report.load;
  expect(Math.abs(operations.intent.scheduled - 360)).toBeLessThanOrEqual(60);
  expect(Math.abs(operations.monsterCommand.scheduled - 6000)).toBeLessThanOrEqual(100);
  for (const counts of [...Object.values(operations), ...Object.values(wholeRun)]) {
    expect(settled(counts)).toBe(counts.scheduled);
  }
  expect(operations.intent.rejected).toBeGreaterThan(0);

  // Row writes three ways, and every acknowledged operation in its row.
  const { applied, rowWritesServers, rowWritesPostgres } = report.integrity;
  const [servers, postgres] = [rowWritesServers ?? 0, rowWritesPostgres ?? 0];
  expect(report.integrity).toMatchObject({ ...LOST_NOTHING, acked: answeredIn(report) });
  expect(applied).toBeGreaterThanOrEqual(answeredIn(report));
  expect(servers).toBeGreaterThan(0);
  expect(Math.abs(servers - postgres)).toBeLessThanOrEqual(postgres / 100);
  expect(report.load.peakCcu).toBe(60);

  expect(run.leftovers()).toEqual({ processes: [], files: [] });
  await isJudgedAgain(run);
});

test('one worker and four have the same schedule, and document rows of 2 KB work as well', {
  timeout: 120_000,
}, async () => {
  const runWith = async (...flags: readonly string[]): Promise<Started> => {
    const run = capbench(['run', small, '--duration', '1s', ...flags]);
    await run.ends(0, 99);
    return run;
  };
  const one = await runWith('--workers', '1', '--set', 'ceilings.secondsEach=0');
  const four = await runWith('--workers', '4', '--set', 'world.rowShape=jsonb');
  const { scheduleHash } = one.measurements();
  expect(scheduleHash).toMatch(/^[0-9a-f]{8,}$/);
  expect(four.measurements().scheduleHash).toBe(scheduleHash);
  expect(four.report().integrity).toMatchObject(LOST_NOTHING);
});
