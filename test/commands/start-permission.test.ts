import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder(afterAll);

async function cli(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<MemoryHost> {
  const host = memoryHost(argv, { cwd: folder, env });
  await main(host);
  return host;
}

writeFileSync(
  join(folder, 'mine.yaml'),
  `name: mine
system: own
load: { players: 10 }
players: { protocol: json, commands: [{ command: look }] }
stack: { start: touch was-started, ready: 18099, environment: { KEY: $GAME_KEY } }
`,
);

test.each(['run', 'serve'])(
  '%s runs a start command only with --allow-start, and check needs no flag',
  async (verb) => {
    const host = await cli([verb, './mine.yaml'], { GAME_KEY: 'a-key-of-the-game' });
    expect(host.ended()).toBe(104);
    expect(host.err()).toContain(
      'error: the scenario names a start command, touch was-started: it is run only with --allow-start',
    );
    expect(host.err()).toContain('hint: read it, and if you trust it, add --allow-start');
    const checked = await cli(['check', './mine.yaml'], { GAME_KEY: 'a-key-of-the-game' });
    expect(checked.ended()).toBe(0);
    expect(checked.out()).toMatch(/^ {2}start +touch was-started: run only with --allow-start$/m);
    expect(checked.out()).not.toContain('PostgreSQL');
    expect(existsSync(join(folder, 'was-started'))).toBe(false);
    expect(existsSync(join(folder, 'reports'))).toBe(false);
  },
);

test('a variable that is not set is refused where it is named', async () => {
  for (const argv of [
    ['run', './mine.yaml', '--allow-start'],
    ['check', './mine.yaml'],
  ]) {
    const host = await cli(argv);
    expect(host.ended()).toBe(104);
    expect(host.err()).toContain(
      'error: mine.yaml:5:70 stack.environment.KEY: got $GAME_KEY, and the variable GAME_KEY is not set',
    );
  }
});

test('a start command decides where its server listens', async () => {
  const host = await cli(['serve', './mine.yaml', '--allow-start', '--port', '3000'], {
    GAME_KEY: 'a-key-of-the-game',
  });
  expect(host.ended()).toBe(104);
  expect(host.err()).toContain('error: --port: the start command decides where its server listens');
});
