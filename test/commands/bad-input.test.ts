import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const root = join(import.meta.dirname, '..', '..');
const small = join(import.meta.dirname, '..', 'e2e', 'small.yaml');

/** A command that is refused before it does anything. */
async function refused(...argv: readonly string[]): Promise<string> {
  const tmp = temporaryFolder();
  const host = memoryHost(argv, { env: { PATH: process.env.PATH, TMPDIR: tmp } });
  expect(await runCli(host)).toBe(104);
  expect(host.out()).toBe('');
  expect(host.err()).toContain('error: ');
  expect(host.err()).not.toMatch(/^\s+at /m);
  expect(readdirSync(tmp)).toEqual([]);
  return host.err();
}

test.each([
  ['a target that is not loopback', ['run', small, '--target', 'http://192.0.2.1:80'], /loopback/],
  ['a bad scale', ['run', small, '--scale', '0'], /--scale/],
  ['no number', ['run', small, '--set', 'load.players=.nan'], /load\.players/],
  [
    'a scenario where --dashboard has its port',
    ['run', small, '--dashboard', 'quickstart'],
    /got "quickstart", expected a port[\s\S]*before --dashboard/,
  ],
  ['a bundle that is none', ['report', root], /measurements\.json/],
  [
    'intents for autocannon',
    ['run', small, '--engine', 'autocannon'],
    /autocannon has no WebSocket[\s\S]*runs the monsters only/,
  ],
])('%s', async (_what, argv, says) => {
  expect(await refused(...argv)).toMatch(says);
});

// One of each in a process of its own: e2e/secrets.test.ts.
test.each<[what: string, ...args: string[]]>([
  ['a password in a target', '--target', 'http://ann:Hy6fd8Ls@127.0.0.1:9'],
  ['one with slashes', '--target', 'http://ann:Hy6fd8Ls/Bw3-desc-pw@127.0.0.1:9'],
  ['one that is not a URL', '--target', 'ann:Hy6fd8Ls@127.0.0.1:9'],
  ['a token in a target', '--target', 'http://127.0.0.1:9/?t=Hy6fd8Ls'],
  ['one in --i-own', '--target', 'http://192.0.2.1', '--i-own', 'ann:Hy6fd8Ls@192.0.2.1'],
  ['one in a setting', '--set', 'postgres.settings.cluster_name=postgres://ann:Hy6fd8Ls@db'],
  ['a long one in a wrong value', '--set', `load.players=postgres://ann:Hy6fd8Ls${'x'.repeat(60)}@db`],
  ['one in an unknown option', '--password=Hy6fd8Ls'],
])('%s is bad input, and is not repeated', async (_what, ...args) => {
  const bytes = Buffer.from('Hy6fd8Ls');
  const spellings = ['Hy6fd8Ls', 'Bw3-desc-pw', bytes.toString('hex'), bytes.toString('base64').slice(0, -2)];
  for (const verbose of [[], ['--verbose']]) {
    const said = await refused('run', small, ...args, ...verbose);
    for (const spelling of spellings) expect(said).not.toContain(spelling);
  }
});
