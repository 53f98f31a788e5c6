import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from '../report/report-of.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { bundleTest } from './bundle.ts';
import { campaign } from './campaign.ts';
import { execute } from './execute.ts';
import { type Ended, type Input, lay, type Target } from './input.ts';
import { faultsOf } from './invariants.ts';
import { whyNoPass } from './oracle.ts';
import { written } from './originals.ts';

/** Checks the fuzzer itself: it has to notice each kind of failure that it looks for. */

const root = join(import.meta.dirname, '..', '..');
let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

const INPUT: Input = { argv: ['check', '{folder}/my.yaml'], env: {}, files: [], made: 'by hand' };
const TARGET: Target = { name: 'x', share: 1, exits: [0, 104], make: () => INPUT };

const ended = (over: Partial<Ended>): Ended => ({
  ...{ input: INPUT, folder, code: 0, out: 'fine\n', err: '', milliseconds: 5 },
  run: () => Promise.resolve({ code: 0, out: '', err: '' }),
  ...over,
});

test.each<[what: string, over: Partial<Ended>, expected: string | null]>([
  ['nothing', {}, null],
  ['a refusal', { code: 104, out: '', err: 'error: no such file\nhint: name one\n' }, null],
  [
    'a bug',
    { code: 1, err: 'error: a bug in capbench: x is not a function\n' },
    'a bug: x is not a function',
  ],
  ['a code of another verb', { code: 93, out: 'INVALID (93)' }, 'exit code 93 is not documented'],
  ['a silent refusal', { code: 104, out: '', err: '' }, 'without an error line'],
  ['an error that is none', { err: 'error: something\n' }, 'an error line beside another ending'],
  ['a stack trace', { err: '    at run (/opt/app/src/cli.ts:3:14)\n' }, 'a stack trace'],
  ['a slip', { out: 'players: undefined\n' }, 'says undefined'],
  ['another', { out: 'players: [object Object]\n' }, 'says [object'],
  ['and another', { out: 'NaN ms\n' }, 'says NaN'],
  ['a word that was given', { input: { ...INPUT, argv: ['check', 'NaN'] }, out: 'no NaN here\n' }, null],
  ['slowness', { milliseconds: 2_001 }, 'took longer'],
  ['a flood', { code: 104, err: `error: ${'x'.repeat(200_000)}\n` }, 'says far too much'],
])('%s', async (_what, over, expected) => {
  const faults = (await faultsOf(TARGET, ended(over))).join('; ');
  if (expected === null) expect(faults).toBe('');
  else expect(faults).toContain(expected);
});

const [m, scenario] = [measurementsOf(), scenarioOf()];
const honest = reportFrom(m, scenario);

/** A bundle that was reported as passed, with facts of our choice. */
function passed(alter: (text: string) => string): Ended {
  const input: Input = {
    argv: ['report', '{folder}/bundle'],
    env: {},
    files: [
      ['bundle/measurements.json', alter(JSON.stringify(m))],
      ['bundle/scenario.yaml', written(scenario)],
    ],
    made: 'by hand',
  };
  lay(input, folder);
  const report = { ...honest, outcome: 'pass', exitCode: 0, scenarioHash: m.scenarioHash };
  writeFileSync(join(folder, 'bundle', 'report.json'), JSON.stringify(report));
  return ended({ input });
}

test.each<[from: string, to: string, expected: string]>([
  ['"lost":0', '"lost":1', '1 lost'],
  ['"lost":0', '"lost":3,"lost":0', 'stands there twice'],
  ['"acked":504000', '"acked":503000', '503000 acked'],
  ['"sent":504000', '"sent":503000', '503000 sent'],
  ['"rowWritesPostgres":455000', '"rowWritesPostgres":400000', 'row writes'],
  ['"skipped":0', '"skipped":5', 'do not add up'],
  ['"peakCcu":1000', '"peakCcu":900', '900 of 1000 players'],
  ['"peakCcu":1000', '"peakCcu":90000', '90000 players of'],
  ['"state":"completed"', '"state":"stoppedEarly","because":"x"', 'ended as stoppedEarly'],
  ['"ready":4.6', '"ready":null', 'phases at'],
  ['"to":25', '"to":99', 'after the end'],
  ['"name":"host","samples":31', '"name":"host","samples":0', 'probe host'],
])('a pass in spite of %s becoming %s is noticed', async (from, to, expected) => {
  const reasons = (await whyNoPass(passed((text) => text.replace(from, to)))).join('; ');
  expect(reasons).toContain(expected);
});

test('a pass of an undamaged run is no failure', async () => {
  expect(await whyNoPass(passed((text) => text))).toEqual([]);
});

test('a process that hangs or ends is reported with its input, and the next process continues', {
  timeout: 120_000,
}, async () => {
  const worker = join(folder, 'worker.mjs');
  writeFileSync(
    worker,
    `process.once('message', async ({ from, to, seed, target }) => {
       const say = (word) => new Promise((resolve) => process.send(word, resolve));
       for (let index = from; index < to; index++) {
         await say({ kind: 'trying', index, memoryBytes: 1 });
         if (index === 3) process.kill(process.pid, 'SIGSEGV');
         if (index === 5) throw new Error('JavaScript heap out of memory');
         if (index === 6) for (;;);
         await say({ kind: 'tried', result: { target, seed, index, made: '', code: 0, milliseconds: 1, faults: [] } });
       }
       await say({ kind: 'done' });
       process.disconnect();
     });`,
  );
  const only = 'report bundle';
  const { targets, failures } = await campaign({ root, seed: 1, inputs: 9, only, worker, hangMs: 1_500 });
  expect(targets).toMatchObject([{ inputs: 9 }]);
  expect(Object.fromEntries(targets[0]?.codes ?? [])).toEqual({ 0: 6, '-1': 3 });
  expect(failures.map(({ first, fault }) => [first.index, fault.split(':')[0]])).toEqual([
    [3, 'ends the process (SIGSEGV)'],
    [5, 'needs more memory than there is'],
    [6, 'hangs'],
  ]);
});

test("the fuzzer's own worker can be loaded", async () => {
  const worker = await bundleTest(root, 'worker', true);
  rmSync(dirname(worker), { recursive: true, force: true });
  expect(worker).toContain('worker-charts.mjs');
});

test('an input that breaks a command is reported with its coordinates', async () => {
  const target: Target = { ...TARGET, make: () => ({ ...INPUT, argv: ['list', '--json'] }), exits: [104] };
  const result = await execute(root, target, { seed: 5, index: 9 });
  const faults = ['exit code 0 is not documented for it'];
  expect(result).toMatchObject({ seed: 5, index: 9, code: 0, faults });
});
