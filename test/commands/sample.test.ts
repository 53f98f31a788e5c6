import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { memoryHost } from '../memory-host.ts';

const sample = join(import.meta.dirname, '..', '..', 'reports', 'sample');

/** A bundle of an earlier capbench: the report may gain fields, and no ruling may change. */
test('the recorded sample has the same verdict as when it was recorded', async () => {
  const bundle = await mkdtemp(join(tmpdir(), 'capbench-sample-'));
  onTestFinished(() => rm(bundle, { recursive: true, force: true }));
  await cp(sample, bundle, { recursive: true });
  const recorded = JSON.parse(await readFile(join(sample, 'report.json'), 'utf8'));
  await rm(join(bundle, 'report.json'));

  const host = memoryHost(['report', bundle]);
  expect(await runCli(host)).toBe(recorded.exitCode);
  expect(host.err()).toBe('');
  const now = JSON.parse(await readFile(join(bundle, 'report.json'), 'utf8'));
  expect(now.rulings).toEqual(recorded.rulings);
  expect(now).toMatchObject(recorded);
});
