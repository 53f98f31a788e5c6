import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { scenarioHash, writeScenario } from '../../src/scenario/resolved.ts';
import { fluxScenario } from '../../src/systems/flux/scenario.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';

const capbench = join(import.meta.dirname, '../../bin/capbench.js');

let bundle = '';
beforeEach(async () => {
  bundle = await mkdtemp(join(tmpdir(), 'capbench-test-'));
  await writeFile(join(bundle, 'scenario.yaml'), writeScenario(scenarioOf(), fluxScenario));
  const m = measurementsOf({ scenarioHash: scenarioHash(scenarioOf()) });
  await writeFile(join(bundle, 'measurements.json'), JSON.stringify(m));
});
afterEach(() => rm(bundle, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The built CLI in a process of its own. */
const report = (env: Record<string, string>): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [capbench, 'report', bundle, '--quiet'],
      { env: { ...process.env, ...env } },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });

test('the charts are drawn by the built CLI, also on a machine without a font', async () => {
  const { code, err } = await report({ FONTCONFIG_FILE: '/dev/null' });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect((await readdir(join(bundle, 'charts'))).sort()).toEqual(
    ['batches', 'cpu', 'latency', 'percentiles', 'throughput'].map((name) => `${name}.png`),
  );
});

test('a platform without a canvas gets every report but the charts, and is told so', async () => {
  const { code, out, err } = await report({ NAPI_RS_NATIVE_LIBRARY_PATH: '/nonexistent.node' });
  expect(code).toBe(0);
  expect(out).toMatch(/^PASS \(0\)/);
  expect(err).toMatch(/^warning: the charts could not be drawn: /);
  expect(await readdir(bundle)).not.toContain('charts');
  expect(await readFile(join(bundle, 'report.html'), 'utf8')).not.toContain('<img');
});
