import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { executeScore, type ScoreFlags } from '../../src/commands/execute-score.ts';
import { EXIT } from '../../src/errors.ts';
import { SCORES, type Scores, scoresSchema } from '../../src/model/scores.ts';
import type { ScorePlan } from '../../src/score/measure-scores.ts';
import { cpuTimes } from '../../src/supervision/proc.ts';
import { memoryHost } from '../memory-host.ts';
import { scoresOf } from '../model/a-score.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const TINY: ScorePlan = { rounds: 2, warmUpMs: 20, measureMs: 40, lookMs: 20 };
const NO_POSTGRES = { CAPBENCH_POSTGRES_BIN: '/nowhere' };

function hostWith(env: Readonly<Record<string, string>> = {}, cwd = temporaryFolder()) {
  const { CAPBENCH_TEST_POSTGRES_BIN: bin, PATH = '' } = process.env;
  const postgres = bin === undefined ? {} : { CAPBENCH_POSTGRES_BIN: bin };
  return memoryHost(['score'], { cwd, env: { PATH, ...postgres, ...env } });
}

async function score(flags: ScoreFlags, env?: Readonly<Record<string, string>>, cwd?: string) {
  const host = hostWith(env, cwd);
  await executeScore(host, flags, TINY);
  return host;
}

test('everything is measured, and the JSON is as the schema has it', async () => {
  const cwd = temporaryFolder();
  const host = await score({ json: true, out: 'new/here.json' }, {}, cwd);
  const printed: unknown = JSON.parse(host.out());
  const scores = scoresSchema.strict().parse(printed);
  expect(Object.keys(scores.scores).toSorted()).toEqual(Object.keys(SCORES).toSorted());
  for (const [name, one] of Object.entries(scores.scores))
    expect(one, name).toEqual({
      value: expect.any(Number),
      unit: expect.any(String),
      better: SCORES[name as keyof typeof SCORES],
      spread: expect.any(Number),
    });
  expect(scores).toMatchObject({ capbench: '9.9.9', node: 'v22.12.0', cpus: 2 });
  expect(Number.isNaN(Date.parse(scores.measuredAt))).toBe(false);
  expect(JSON.parse(readFileSync(join(cwd, 'new/here.json'), 'utf8'))).toEqual(printed);
  expect(host.exitCode).toBe(EXIT.pass);
});

test.skipIf(cpuTimes() === null)(
  'who uses the CPU only when it begins to measure is named, too',
  async () => {
    const host = hostWith(NO_POSTGRES);
    const scoring = executeScore(host, { json: true }, { ...TINY, lookMs: 200 });
    await expect.poll(() => host.err()).toContain('Measuring this machine');
    // The first look has ended then, or has seen a part of it.
    await pause(500);
    const other = spawn(process.execPath, ['-e', 'for (;;);']);
    onTestFinished(() => void other.kill('SIGKILL'));
    await scoring;
    expect(JSON.parse(host.out()).otherCores).toBeGreaterThan(0.5);
    expect(host.err()).toMatch(/warning: other processes used [\d.]+ cores just before or after it/);
  },
);

test('another machine is compared, also as JSON; without PostgreSQL its score is unmeasured, with the reason and exit code 0', async () => {
  const cwd = temporaryFolder();
  const other = scoresOf({ javascript: 1e-9, loopback: 'no sockets' }, { cpuModel: 'a slow cpu' });
  writeFileSync(join(cwd, 'box.json'), JSON.stringify(other));
  const asText = await score({ compare: 'box.json' }, NO_POSTGRES, cwd);
  expect(asText.out()).toContain('that of box.json: a slow cpu');
  expect(asText.out()).toMatch(/batchedUpdates +unmeasured\b.*CAPBENCH_POSTGRES_BIN is \/nowhere/s);
  expect(asText.out()).toMatch(/javascript +[\d.,]+ +±/);
  expect(asText.exitCode).toBe(EXIT.pass);
  const asJson = await score({ compare: 'box.json', json: true, out: 'here.json' }, NO_POSTGRES, cwd);
  const { compared, ...own } = JSON.parse(asJson.out());
  const { javascript } = (own as Scores).scores;
  if (javascript === undefined || !('value' in javascript)) throw new Error('javascript is unmeasured');
  expect(compared).toMatchObject({ to: 'box.json', ratios: { javascript: javascript.value / 1e-9 } });
  expect(Object.keys(compared.ratios)).not.toContain('loopback');
  expect(Object.keys(compared.ratios)).not.toContain('batchedUpdates');
  // The file is of this machine alone.
  expect(JSON.parse(readFileSync(join(cwd, 'here.json'), 'utf8'))).toEqual(own);
});

test('a signal ends it with 105, and no file is written', async () => {
  const cwd = temporaryFolder();
  const host = hostWith({}, cwd);
  const measuring = executeScore(host, { out: 'here.json' }, { ...TINY, measureMs: 20_000 });
  await expect.poll(() => host.err()).toContain('Measuring this machine');
  host.signal('SIGINT');
  await expect(measuring).rejects.toMatchObject({ exitCode: EXIT.interrupted });
  expect(host.err()).toContain('SIGINT: stopping');
  expect(host.out()).toBe('');
  expect(existsSync(join(cwd, 'here.json'))).toBe(false);
});

test.each([
  [['--out', 'folder'], '--out: folder is a folder'],
  [['--out', '/proc/nowhere/here.json'], '/proc/nowhere'],
  [['--out', ''], '--out: got an empty name'],
  [['--compare', 'none.json'], 'none.json does not exist'],
  [['--compare', 'broken.json'], 'broken.json is broken'],
  [['--compare', 'other.json'], 'other.json holds no scores'],
  [['--compare', 'box.json', '--out', 'box.json'], 'input of this command'],
])('%j is refused with 104 before anything is measured', async (args, why) => {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'folder'));
  writeFileSync(join(cwd, 'broken.json'), '{');
  writeFileSync(join(cwd, 'other.json'), '{"schemaVersion":1}');
  writeFileSync(join(cwd, 'box.json'), JSON.stringify(scoresOf()));
  const host = memoryHost(['score', ...args], { cwd });
  expect(await runCli(host)).toBe(EXIT.badInput);
  expect(host.err()).toContain(why);
  expect(host.err()).not.toContain('Measuring');
  expect(host.out()).toBe('');
});
