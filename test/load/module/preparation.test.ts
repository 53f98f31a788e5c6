import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { countOf } from '../../../src/histogram.ts';
import type { PlayerModule } from '../../../src/load/fleet/messages.ts';
import { seconds } from '../../../src/units.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { workloadWith } from '../a-workload.ts';
import { failureOf, prepare, run } from '../engine-room.ts';

/** `prepare` of a player module, in real processes; and what the module logs, to the last line. */

const folder = temporaryFolder(afterAll);
const NAME = './mine.mjs';
let files = 0;
function moduleOf(text: string): PlayerModule {
  files += 1;
  const path = join(folder, `module-${files}.mjs`);
  writeFileSync(path, text);
  return { path, name: NAME };
}

const PLAY = `export const perform = () => 'ok';`;
const NOWHERE = {
  worlds: [{ url: 'http://127.0.0.1:9', pid: null, headers: { 'x-realm': 'test' } }],
  database: null,
};
const workload = (given: Parameters<typeof workloadWith>[0] = {}) =>
  workloadWith({
    ...{ players: 6, intentRate: 60, duration: 0.4, postRate: 0, drain: seconds(1) },
    playing: { protocol: 'module', module: NAME },
    ...given,
  });

/** The logs of a run, by name, as they are once all processes have ended. */
function logs() {
  const kept = new Map<string, string>();
  const keepLogs = async (of: ReadonlyMap<string, string>): Promise<void> => {
    for (const [name, path] of of) kept.set(name, readFileSync(path, 'utf8'));
  };
  return { kept, keepLogs };
}

test('it runs once, before any player connects, and every player has what it returned', async () => {
  const { kept, keepLogs } = logs();
  const module = moduleOf(`
    export async function prepare({ players, urls, headers, signal, log }) {
      log('prepared ' + players + ' at ' + urls + ', ' + headers['x-realm'] + ', ' + signal.aborted);
      await new Promise((resolve) => setTimeout(resolve, 60));
      return { tokens: Array.from({ length: players }, (_, n) => 'token ' + n) };
    }
    export async function connect({ player, prepared, log, loggedIn }) {
      log('has ' + prepared.tokens[player]);
      if (!Object.isFrozen(prepared.tokens)) throw new Error('it can be changed');
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (player > 0) loggedIn();
      await new Promise((resolve) => setTimeout(resolve, 30));
      return { log };
    }
    ${PLAY}
    export async function close({ log }) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      log('has left');
    }
  `);
  const fleet = await prepare(workload(), NOWHERE, { workers: 2, module, keepLogs });
  expect(fleet.prepareMs).toBeGreaterThanOrEqual(50);
  const { connect, login, socket } = fleet.connect;
  expect([connect, login, socket].map((part) => part && countOf(part))).toEqual([6, 5, 5]);
  expect(login?.min).toBeGreaterThanOrEqual(25_000);
  expect(socket?.min).toBeGreaterThanOrEqual(25_000);
  await run(fleet);
  await fleet.close();
  expect(kept.get('prepare')).toBe('prepared 6 at http://127.0.0.1:9, test, false\n');
  const lines = [...kept]
    .flatMap(([name, text]) => (name === 'prepare' ? [] : text.trim().split('\n')))
    .sort();
  expect(lines).toEqual(
    [0, 1, 2, 3, 4, 5].flatMap((n) => [`player ${n}: has left`, `player ${n}: has token ${n}`]).sort(),
  );
});

test('without one nothing is prepared; the calibration does without it, too', async () => {
  const plain = await prepare(workload(), NOWHERE, {
    module: moduleOf(`export const connect = ({ prepared }) => ({ prepared }); ${PLAY}`),
  });
  expect(plain.prepareMs).toBeUndefined();
  const throwing = `export const prepare = () => { throw new Error('not here'); }; export const connect = () => {}; ${PLAY}`;
  const calibration = await prepare({ ...workload(), isCalibration: true }, NOWHERE, {
    module: moduleOf(`${throwing} export const nullServer = () => {};`),
  });
  expect(calibration.prepareMs).toBeUndefined();
});

test.each([
  [`throw new Error('no such table')`, `${NAME}: prepare failed: no such table`],
  [`return 1n`, `${NAME}: prepare returned what JSON cannot hold: Do not know how to serialize a BigInt`],
  [`return () => 1`, `${NAME}: prepare returned a function, expected what JSON can hold`],
  [`return 'x'.repeat(2 ** 20)`, `${NAME}: prepare returned 1048578 bytes of JSON, expected at most 1048576`],
  [`process.exit(3)`, `${NAME} called process.exit(3)`],
])('a prepare that does %s ends the run with 93, and its log is kept', async (body, message) => {
  const { kept, keepLogs } = logs();
  const module = moduleOf(
    `export async function prepare({ log }) { log('began'); ${body}; }\nexport const connect = () => {}; ${PLAY}`,
  );
  expect(await failureOf(prepare(workload(), NOWHERE, { module, keepLogs }))).toMatchObject({
    exitCode: 93,
    message: `the player module ${message}`,
    hint: expect.stringMatching(/^correct .*its prepare/),
  });
  expect(kept.get('prepare')).toContain('began\n');
});

test.each([
  ['export function {', 'node FILE'],
  [`import 'not-installed-anywhere'; ${PLAY}`, 'install the package'],
  ['export {};', 'export what a player module must have'],
])(
  'what is no player module (%j) is told what to do, and nothing of a prepare that it may not have',
  async (text, hint) => {
    const error = await failureOf(prepare(workload(), NOWHERE, { module: moduleOf(text) }));
    expect(error.hint).toContain(hint);
    expect(error.hint).not.toContain('its prepare');
  },
);

test('stopped while it prepares: 105, and it may undo what it began', async () => {
  const { kept, keepLogs } = logs();
  const stop = new AbortController();
  const began = join(folder, 'began');
  const module = moduleOf(`
    import { writeFileSync } from 'node:fs';
    export const prepare = ({ signal, log }) => new Promise((resolve) => {
      signal.addEventListener('abort', () => { log('undone'); resolve(); });
      setInterval(() => writeFileSync(${JSON.stringify(began)}, ''), 10);
    });
    export const connect = () => {}; ${PLAY}`);
  const failure = failureOf(prepare(workload(), NOWHERE, { module, keepLogs, signal: stop.signal }));
  await expect.poll(() => readFileSync(began, 'utf8')).toBe('');
  stop.abort();
  expect((await failure).exitCode).toBe(105);
  expect(kept.get('prepare')).toBe('undone\n');
});
