import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { writeScenario } from '../../src/scenario/resolved.ts';
import { fluxScenario } from '../../src/systems/flux/scenario.ts';
import { k6Scenario, k6SummaryOf } from '../fixtures/k6-summary-of.ts';
import { memoryHost } from '../memory-host.ts';

const sample = join(import.meta.dirname, '..', '..', 'reports', 'sample');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capbench-test-'));
  await cp(sample, join(folder, 'bundle'), { recursive: true });
  await writeFile(join(folder, 'old.xml'), 'of an earlier run');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function cli(...args: string[]) {
  const host = memoryHost(args, { cwd: folder });
  const exitCode = await runCli(host);
  return { exitCode, out: host.out(), err: host.err() };
}
const read = (...path: string[]) => readFile(join(folder, ...path), 'utf8');

test('the files of the bundle are also written to fixed paths, whose folders are created', async () => {
  const paths = ['--junit', 'old.xml', '--summary', 'out/a/summary.md', '--report', 'out/page.html'];
  const { exitCode, out } = await cli('report', 'bundle', ...paths);
  expect(exitCode).toBe(JSON.parse(await read('bundle', 'report.json')).exitCode);
  expect(await read('old.xml')).toBe(await read('bundle', 'junit.xml'));
  expect(await read('out', 'a', 'summary.md')).toBe(await read('bundle', 'summary.md'));
  expect(await read('out', 'page.html')).toBe(await read('bundle', 'report.html'));
  // The last line names the verdict and the report.
  expect(out).toMatch(/\n {2}(PASS|FAIL|INVALID) \(\d+\) {2}.* {2}bundle\/report\.html\n$/);
});

test('the verdict of a k6 summary is written there as JUnit', async () => {
  await writeFile(join(folder, 'world.yaml'), writeScenario(k6Scenario(), fluxScenario));
  await writeFile(join(folder, 'k6.json'), JSON.stringify(k6SummaryOf(k6Scenario())));
  const from = ['report', '--scenario', './world.yaml', '--from-k6', 'k6.json'];
  expect(await cli(...from, '--junit', 'old.xml')).toMatchObject({ exitCode: 0, err: '' });
  expect(await read('old.xml')).toMatch(
    /<testcase classname="verdict" name="verdict" time="20.000">\s*<system-out>PASS \(0\): /,
  );
  const refused = await cli(...from, '--report', 'page.html');
  expect(refused.exitCode).toBe(104);
  expect(refused.err).toContain('--report: --from-k6 writes no page');
});

test('a run without a verdict removes the files of an earlier run', async () => {
  const { exitCode } = await cli('report', 'nowhere', '--junit', 'old.xml');
  expect(exitCode).toBe(104);
  expect(await readdir(folder)).not.toContain('old.xml');
});

test.each<[what: string, args: readonly string[], says: string]>([
  ['a folder', ['--junit', 'bundle'], '--junit: bundle is a folder'],
  ['below a file', ['--summary', 'old.xml/a.md'], '--summary: old.xml/a.md cannot be written'],
  [
    'where no folder can be made',
    ['--report', '/proc/a/b.html'],
    '--report: /proc/a/b.html cannot be written',
  ],
  ['no name', ['--junit', ''], '--junit: got an empty name'],
  ['the same twice', ['--junit', 'a', '--report', './a'], '--report: ./a is named twice'],
  ['a device', ['--junit', '/dev/null'], '--junit: /dev/null is not a regular file'],
  ['what is judged', ['--summary', 'link/measurements.json'], 'is an input of this command'],
])('a path that cannot be written is refused before anything is done: %s', async (_what, args, says) => {
  await symlink('bundle', join(folder, 'link'));
  await mkdir(join(folder, 'empty'));
  const before = await readdir(join(folder, 'bundle'));
  for (const verb of [
    ['report', 'bundle'],
    ['run', 'bundle/measurements.json', '--out', 'empty'],
  ]) {
    const { exitCode, out, err } = await cli(...verb, ...args);
    expect({ exitCode, out }).toEqual({ exitCode: 104, out: '' });
    expect(err).toContain(says);
  }
  expect(await readdir(join(folder, 'bundle'))).toEqual(before);
  expect(await readdir(join(folder, 'empty'))).toEqual([]);
});
