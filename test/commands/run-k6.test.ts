import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { memoryHost } from '../memory-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'capbench-k6-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program named k6 that prints this as its version. */
function program(place: string, says: string): string {
  const path = join(folder, place);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'k6'), `#!/bin/sh\necho "${says}"\n`);
  chmodSync(join(path, 'k6'), 0o755);
  return path;
}

async function runWith(env: Record<string, string>, ...flags: readonly string[]) {
  const out = join(folder, 'out');
  const host = memoryHost(['run', 'quickstart', '--engine', 'k6', '--out', out, ...flags], { env });
  const exitCode = await runCli(host);
  return { exitCode, err: host.err(), bundle: existsSync(out) };
}

test('without k6 the run ends with 93 before anything starts, and the error says how to install it', async () => {
  const { exitCode, err, bundle } = await runWith({ PATH: join(folder, 'nowhere') });
  expect(exitCode).toBe(93);
  expect(err).toContain('error: there is no k6 on PATH');
  expect(err).toContain('hint: install k6 2.x');
  expect(err).toContain('CAPBENCH_K6');
  expect(bundle).toBe(false);
});

test('the npm package k6, a link in node_modules/.bin, is not taken for k6', async () => {
  const stub = program('node_modules/.bin', 'k6 v2.2.0');
  expect(await runWith({ PATH: stub })).toMatchObject({ exitCode: 93 });
});

test.each([['k6 v1.8.1 (go1.26, linux/amd64)'], ['something else']])(
  'a k6 that cannot run the script is refused by what it says: %s',
  async (says) => {
    const { exitCode, err } = await runWith({ PATH: `/usr/bin:/bin:${program('old', says)}` });
    expect(exitCode).toBe(93);
    expect(err).toContain(`is no k6 of version 2 or newer: it reports "${says}"`);
  },
);

test('CAPBENCH_K6 has to name a program', async () => {
  const { exitCode, err } = await runWith({ CAPBENCH_K6: 'k6', PATH: program('new', 'k6 v2.2.0') });
  expect(exitCode).toBe(93);
  expect(err).toContain('CAPBENCH_K6: k6 is not a program: expected the absolute path of k6');
});

test.each(['k6', 'autocannon'])(
  '--engine %s is refused for players that it does not know',
  async (engine) => {
    const players = 'players={"protocol":"json","commands":[{"command":"look"}]}';
    const { exitCode, err, bundle } = await runWith(
      { PATH: program('new', 'k6 v2.2.0') },
      ...['--engine', engine, '--target', 'http://127.0.0.1:9', '--set', players],
      ...['--set', 'load.monsterCommandsPerSecond=0', '--set', 'load.monsters=0'],
    );
    expect({ exitCode, bundle, err }).toMatchObject({ exitCode: 104, bundle: false });
    expect(err).toContain('use --engine native');
  },
);

test.each([
  ['faults', '--set', 'faults=[{"action":"drop","of":"players","at":"1s","sharePercent":10}]'],
  ['--workers', '--workers', '2'],
])('%s: what k6 cannot do is bad input', async (name, ...flags) => {
  const { exitCode, err, bundle } = await runWith({ PATH: program('new', 'k6 v2.2.0') }, ...flags);
  expect(exitCode).toBe(104);
  expect(err).toContain(`error: ${name}: `);
  expect(bundle).toBe(false);
});
