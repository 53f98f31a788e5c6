import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { ErrorCounts } from '../../src/load/error-counts.ts';
import { memoryHost } from '../memory-host.ts';

const sample = join(import.meta.dirname, '..', '..', 'reports', 'sample');

test('the terminal and summary.md report the most frequent errors, without secrets', async () => {
  const bundle = await mkdtemp(join(tmpdir(), 'capbench-errors-'));
  onTestFinished(() => rm(bundle, { recursive: true, force: true }));
  await cp(sample, bundle, { recursive: true });
  const file = join(bundle, 'measurements.json');
  const measurements = JSON.parse(await readFile(file, 'utf8'));
  const errors = new ErrorCounts();
  errors.add('the first', 2);
  errors.add('the second');
  errors.add('the third', 1200);
  errors.add('refused: password=Bw3-note-pw', 30);
  await writeFile(file, JSON.stringify({ ...measurements, errors: errors.top(4).toReversed() }));

  const host = memoryHost(['report', bundle]);
  expect(await runCli(host)).toBe(0);
  const summary = await readFile(join(bundle, 'summary.md'), 'utf8');
  for (const text of [host.out(), summary]) {
    const at = ['the third (1200 times)', 'refused: password=', 'the first (2 times)', 'and 1 more kind'].map(
      (one) => text.indexOf(one),
    );
    expect(at).not.toContain(-1);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(text).not.toContain('the second');
    expect(text).not.toContain('Bw3-note-pw');
  }
});
