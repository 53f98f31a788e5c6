import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder(afterAll);
const repository = join(folder, 'repository');
mkdirSync(repository);

const scenario = (start: string, more = ''): string => `name: mine
system: own
load: { players: 10 }
players: { protocol: json, commands: [{ command: look }] }
stack: { start: ${start}, ready: 18099${more} }
`;
writeFileSync(join(folder, 'mine.yaml'), scenario('touch was-started'));
writeFileSync(join(folder, 'no-stack.yaml'), scenario('x').replace(/^stack:.*\n/m, ''));
writeFileSync(join(repository, 'mine.yaml'), scenario('touch was-started'));
writeFileSync(join(repository, 'absolute.yaml'), scenario(`node ${repository}/server.mjs`));
writeFileSync(
  join(repository, 'variable.yaml'),
  scenario('node server.mjs', `, environment: { CODE: ${repository}/dist }`),
);
execFileSync('git', ['init', '--quiet', repository]);

async function duet(...args: readonly string[]): Promise<MemoryHost> {
  const host = memoryHost(['duet', ...args], { cwd: folder, env: { PATH: process.env.PATH } });
  await main(host);
  return host;
}

const both = ['--base', 'touch was-started', '--head', 'touch was-started'];

test.each<[args: readonly string[], message: string]>([
  [['mine.yaml'], 'the two versions are missing'],
  [['mine.yaml', '--base', 'node a.mjs'], '--head is missing'],
  [['mine.yaml', '--head', 'node a.mjs'], '--base is missing'],
  [['mine.yaml', '--base-ref', 'main', ...both], '--base-ref and a command (--base, --head) are given'],
  [['mine.yaml', ...both, '--prepare', 'npm ci'], '--prepare: it is for the two folders of --base-ref'],
  [['mine.yaml', ...both, '--target', 'ws://127.0.0.1:9'], '--target: a duet starts both versions itself'],
  [['mine.yaml', ...both], 'it is run only with --allow-start'],
  [['mine.yaml', ...both, '--most-trials', '0'], '--most-trials: got "0"'],
  [['mine.yaml', ...both, '--time-limit', '5'], '--time-limit: got "5"'],
  [['mine.yaml', ...both, '--retry-invalid', 'x'], '--retry-invalid: got "x"'],
  [['mine.yaml', ...both, '--threshold', '0'], '--threshold: got "0"'],
  [['mine.yaml', ...both, '--metric', 'speed'], '--metric: got "speed"'],
  [['mine.yaml', '--allow-start', ...both, '--resume', 'nowhere'], 'duet.json does not exist'],
  [['quickstart', '--base-ref', 'main'], 'quickstart starts no server of your own (stack.start)'],
  [
    ['quickstart', ...both],
    'capbench run quickstart --trials 10 with each version or setting, and capbench compare',
  ],
  [['no-stack.yaml', ...both], 'add stack: with start and ready to the scenario'],
  [['mine.yaml', '--allow-start', '--base-ref', 'main'], 'is in no git repository'],
  [
    ['repository/mine.yaml', '--allow-start', '--base-ref', 'no-such-branch'],
    '--base-ref: got "no-such-branch"',
  ],
  [['repository/absolute.yaml', '--allow-start', '--base-ref', 'main'], 'stack.start names a file in '],
  [
    ['repository/variable.yaml', '--allow-start', '--base-ref', 'main'],
    'stack.environment.CODE names a file in ',
  ],
])('%j is refused before anything is started', async (args, message) => {
  const host = await duet(...args.map((arg) => (arg.endsWith('.yaml') ? `./${arg}` : arg)));
  expect(host.err()).toContain(message);
  expect(host.ended()).toBe(104);
  expect(existsSync(join(folder, 'was-started'))).toBe(false);
  expect(existsSync(join(folder, 'reports'))).toBe(false);
});
