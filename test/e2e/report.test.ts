import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { scenarioHash, writeScenario } from '../../src/scenario/resolved.ts';
import { fluxScenario } from '../../src/systems/flux/scenario.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { BUNDLE_FILES, capbench } from './capbench.ts';

let bundle = '';
beforeEach(async () => {
  bundle = temporaryFolder();
  await writeFile(join(bundle, 'scenario.yaml'), writeScenario(scenarioOf(), fluxScenario));
  const m = measurementsOf({ scenarioHash: scenarioHash(scenarioOf()) });
  await writeFile(join(bundle, 'measurements.json'), JSON.stringify(m));
});

/** The built CLI in a process of its own. */
const report = (env: Record<string, string>) =>
  capbench(['report', bundle, '--quiet'], { env, asShipped: true }).ends(0);

test('the built CLI draws the charts, even on a machine without fonts', async () => {
  expect((await report({ FONTCONFIG_FILE: '/dev/null' })).stderr).toBe('');
  expect((await readdir(join(bundle, 'charts'))).sort()).toEqual(
    ['batches', 'cpu', 'latency', 'percentiles', 'throughput'].map((name) => `${name}.png`),
  );
});

test('on a platform without a canvas, every report but the pictures is written, with a warning', async () => {
  const { stdout, stderr } = await report({ NAPI_RS_NATIVE_LIBRARY_PATH: '/nonexistent.node' });
  expect(stdout).toMatch(/^PASS \(0\)/);
  expect(stderr).toMatch(/^warning: the charts could not be drawn: /);
  expect(await readdir(bundle)).not.toContain('charts');
  const page = await readFile(join(bundle, 'report.html'), 'utf8');
  expect(page.match(/<svg class="plot"/g)).toHaveLength(5);
});

test('--no-charts leaves out the PNG charts, and nothing else', async () => {
  const { stderr } = await capbench(['report', bundle, '--quiet', '--no-charts']).ends(0);
  expect(stderr).toBe('');
  const files = await readdir(bundle);
  expect(files).not.toContain('charts');
  for (const name of BUNDLE_FILES) expect(files).toContain(name);
});
