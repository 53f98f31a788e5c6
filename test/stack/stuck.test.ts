import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startPostgres } from '../../src/stack/postgres.ts';
import { preparePostgres } from '../../src/stack/postgres-build.ts';
import { serverComponent } from '../../src/stack/server.ts';
import { bundleFile } from '../../src/supervision/bundle-file.ts';
import { canReach, openRunFolder, type RunFolder } from '../../src/supervision/run-folder.ts';
import { unprivilegedUser } from '../../src/supervision/unprivileged-user.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { processesIn } from './leftovers.ts';
import { never as signal } from './small-scenario.ts';

// Components that start and then do not answer. A real PostgreSQL cannot be made to hang, so these are
// shell scripts in its place.

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const user = unprivilegedUser();
const watchdog = await openWatchdog(process.env);
afterAll(() => watchdog.close());
let folder: RunFolder;
let bin: string;
beforeEach(async () => {
  folder = await openRunFolder(watchdog, ['/tmp'], user);
  bin = mkdtempSync('/tmp/stuck-');
  chmodSync(bin, 0o755);
});
afterEach(async () => {
  await folder.remove();
  await expect.poll(() => [...processesIn(bin), ...processesIn(folder.path)]).toEqual([]);
  rmSync(bin, { recursive: true });
});

function program(name: string, text: string): void {
  writeFileSync(join(bin, name), text);
  chmodSync(join(bin, name), 0o755);
}
const ends = '#!/bin/sh\nexit 0\n';
/** It waits in another process, whose environment names the run that it belongs to. */
const hangs = () => `#!/bin/sh\nOF=${bin} sleep 600\necho 'postgres (PostgreSQL) 16.1'\n`;

/** Accepts every login, and answers only the first statements. */
const answers = (count: number) => `#!${process.execPath}
const { readFileSync } = require('node:fs');
if (process.argv[2] !== '-D') process.exit(0);
const conf = readFileSync(process.argv[3] + '/postgresql.conf', 'utf8');
const folder = /unix_socket_directories = '(.*)'/.exec(conf)[1];
let left = ${count};
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const loggedIn = Buffer.concat([Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]), ready]);
const answer = Buffer.concat([Buffer.from([0x43, 0, 0, 0, 7]), Buffer.from('OK\\0'), ready]);
require('node:net').createServer((socket) => {
  let known = false;
  socket.on('error', () => {});
  socket.on('data', () => {
    if (left-- > 0) socket.write(known ? answer : loggedIn);
    known = true;
  });
}).listen(folder + '/.s.PGSQL.5432');
`;

/** `limits` in ms: of an answer, and of the time until PostgreSQL is ready. */
function start({ answer, postgres } = { answer: 400, postgres: 1_000 }) {
  return startPostgres({
    build: { bin, version: '16.1', libraries: new Set() },
    configuration: {},
    ...{ folder, watchdog, user, signal, password: 'secret' },
    limits: { answer, postgres, world: 1_000 },
  });
}

describe('a PostgreSQL that is stuck ends with 93, says where, and leaves nothing:', () => {
  it('its programs do not print their version', async () => {
    program('initdb', ends);
    program('postgres', hangs());
    await expect(preparePostgres(16, bin, user, folder, watchdog, signal, 400)).rejects.toMatchObject({
      exitCode: 93,
      message: `${join(bin, 'postgres')} --version did not answer within 0.4 s`,
      hint: expect.stringContaining('CAPBENCH_POSTGRES_BIN'),
    });
  });

  it('or the run is interrupted while it waits', async () => {
    program('initdb', ends);
    program('postgres', hangs());
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('enough')), 200);
    await expect(preparePostgres(16, bin, user, folder, watchdog, abort.signal)).rejects.toThrow('enough');
  });

  it('initdb hangs, and so does its cleanup', async () => {
    program('initdb', hangs());
    program('postgres', hangs());
    await expect(start()).rejects.toMatchObject({ exitCode: 93, message: 'initdb did not end within 1 s' });
  });

  it('it never listens', async () => {
    program('initdb', ends);
    program('postgres', `#!/bin/sh\n[ "$1" = -D ] && OF=${bin} exec sleep 600\n`);
    await expect(start()).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(/^PostgreSQL was not ready within 1 s: /),
    });
  });

  it.runIf(user === null || canReach(process.execPath, user)).each([
    [0, 'PostgreSQL did not answer a connection within 2 s'],
    [1, 'PostgreSQL did not answer a connection within 2 s'],
    [2, 'PostgreSQL did not answer "create database capbench" within 2 s'],
  ])('it answers %i times', async (count, message) => {
    program('initdb', ends);
    program('postgres', answers(count));
    // On a busy machine its process takes seconds to begin to listen, and to give the answers that it gives.
    await expect(start({ answer: 2_000, postgres: 30_000 })).rejects.toMatchObject({ exitCode: 93, message });
  });
});

it('a world server that is stuck ends with 93, and the error says so', async () => {
  // Its database accepts the connection and does not answer.
  const host = join(bin, 's');
  mkdirSync(host);
  const silent = createServer(() => {}).listen(join(host, '.s.PGSQL.5432'));
  try {
    const server = serverComponent({
      ...{ name: 'world-1', instance: 1, after: [], heap: 128, readyLimit: 500 },
      module: bundleFile('flux-server'),
      env: () => ({
        ...{ INSTANCE_ID: '1', INSTANCES: '1', PLAYERS: '20', MONSTERS: '0', PLAYERS_PER_PLACE: '10' },
        ...{ DB_SOCKET_PATH: host, DB_PORT: '5432', DB_USER: 'nobody', DB_NAME: 'none' },
      }),
      health: () => Promise.reject(new Error('it was asked')),
    });
    const started = server.start({
      ...{ folder, watchdog, signal, closing: signal, user, env: {}, token: '', password: '' },
      ...{
        mayRestart: false,
        basePort: null,
        stackMemoryBytes: null,
        scenarioFolder: '/',
        confine: async () => {},
        started: () => expect.fail('it stands on nothing'),
      },
    });
    await expect(started).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(/^world-1 was not ready within 0\.5 s/),
    });
  } finally {
    silent.close();
  }
});
