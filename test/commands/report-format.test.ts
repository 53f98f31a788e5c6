import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { scenarioHash, writeScenario } from '../../src/scenario/resolved.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { fluxScenario } from '../../src/systems/flux/scenario.ts';
import { budget, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** `capbench report --format`: what other programs of CI read, from a bundle. */

const tight = scenarioOf({
  budgets: [budget({ id: 'tight', metric: 'latency.intent.due', stat: 'p95', limit: 1 })],
});

async function bundle(scenario: Scenario, folder = temporaryFolder()): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'scenario.yaml'), writeScenario(scenario, fluxScenario));
  const m = { ...measurementsOf(), scenarioHash: scenarioHash(scenario) };
  await writeFile(join(folder, 'measurements.json'), JSON.stringify(m));
  return folder;
}

async function report(folder: string, ...flags: readonly string[]) {
  const host = memoryHost(['report', folder, '--no-charts', ...flags], { cwd: folder });
  return { exitCode: await runCli(host), out: host.out(), err: host.err() };
}

test('stdout has the format and nothing else; the exit code is that of the verdict', async () => {
  const passed = await bundle(scenarioOf());
  for (const [format, start] of [
    ['comment', '<!-- capbench:run:recorded -->\n### ✅ PASS (0)'],
    ['bencher', '{\n  "recorded": {\n'],
  ] as const) {
    const { exitCode, out, err } = await report(passed, '--format', format);
    expect([exitCode, err, out.slice(0, start.length)]).toEqual([0, '', start]);
  }
  const breached = await report(await bundle(tight), '--format', 'comment');
  expect(breached.exitCode).toBe(99);
  expect(breached.out).toContain('### ❌ FAIL (99)');
});

test('annotations stand at the budgets of the scenario file, relative to where capbench runs', async () => {
  const folder = await bundle(tight);
  await mkdir(join(folder, 'worlds'));
  await writeFile(join(folder, 'worlds', 'mine.yaml'), 'name: mine\nbudgets:\n  - { id: tight, limit: 1 }\n');
  const { out } = await report(
    folder,
    '--format',
    'annotations',
    '--annotate',
    './worlds/../worlds/mine.yaml',
  );
  expect(out).toMatch(/^::error file=worlds\/mine\.yaml,title=recorded/);
  expect(out).toMatch(/^::error file=worlds\/mine\.yaml,line=3,title=tight was breached::/m);
});

test('of trials the figures are of all, and the rest of the one that decides', async () => {
  const root = temporaryFolder();
  await bundle(scenarioOf(), join(root, 'trials', '1'));
  await bundle(tight, join(root, 'trials', '2'));
  const trials = [{ trial: 1 }, { trial: 2 }];
  await writeFile(join(root, 'trials.json'), JSON.stringify({ requested: 2, sameServer: false, trials }));
  const comment = await report(root, '--format', 'comment');
  expect(comment.exitCode).toBe(99);
  expect(comment.out).toContain('2 of 2 trials: 1 pass, 1 fail; this is trial 2');
  const { out } = await report(root, '--format', 'smaller-is-better');
  expect(JSON.parse(out)[0]).toMatchObject({ extra: '2 runs' });
});

test.each([
  [['--format', 'html'], 'Allowed choices are summary, comment'],
  [['--format', 'comment', '--json'], "cannot be used with option '--json'"],
  [['--annotate', 'x.yaml'], '--annotate is only for --format annotations'],
  [['--format', 'annotations', '--annotate', 'gone.yaml'], '--annotate: gone.yaml cannot be read'],
])('%j is bad input', async (flags, message) => {
  const { exitCode, out, err } = await report(await bundle(scenarioOf()), ...flags);
  expect([exitCode, out]).toEqual([104, '']);
  expect(err).toContain(message);
});

test('what GitHub puts in the environment changes nothing', async () => {
  const folder = await bundle(tight);
  const told = async (env: Readonly<Record<string, string>>) => {
    const host = memoryHost(['report', folder, '--no-charts'], { env });
    return [await runCli(host), host.out(), host.err()];
  };
  const github = { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(folder, 'step.md') };
  expect(await told(github)).toEqual(await told({}));
});
