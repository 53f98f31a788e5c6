import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { PlayerModule } from '../../../src/load/fleet/messages.ts';
import type { Workload } from '../../../src/scenario/workload.ts';
import { seconds } from '../../../src/units.ts';
import { type BothSecond, type BothTally, workloadWith } from '../a-workload.ts';
import { failureOf, isAlive, prepare, run } from '../engine-room.ts';
import { figuresOf } from '../ledger-figures.ts';

/** Modules as users write them, good and bad; most of them connect to nothing. */
const folder = mkdtempSync(join(tmpdir(), 'modules-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = './my-player.mjs';
let written = 0;
function moduleOf(text: string): PlayerModule {
  written += 1;
  const path = join(folder, `player-${written}.mjs`);
  writeFileSync(path, text);
  return { path, name: NAME };
}

const CONNECT = 'export const connect = (context) => ({ context });';
const NOWHERE = { worlds: [{ url: 'http://127.0.0.1:9', pid: null }], database: null };
const workload = (given: Parameters<typeof workloadWith>[0] = {}): Workload =>
  workloadWith({
    ...{ players: 6, intentRate: 10, monsters: 0, postRate: 0, duration: 1 },
    ...{ timeout: seconds(0.4), drain: seconds(1) },
    playing: { protocol: 'module', module: NAME },
    ...given,
  });

const ready = (text: string, given: Parameters<typeof workload>[0] = {}) =>
  prepare(workload(given), NOWHERE, { module: moduleOf(text) });

async function play(text: string, given: Parameters<typeof workload>[0] = {}): Promise<Played> {
  const fleet = await ready(text, given);
  const { tally, seconds: all } = await run(fleet);
  await fleet.close();
  return { tally, seconds: all, counts: tally.operations.intent.whole, errors: tally.errors.join('\n') };
}
interface Played {
  readonly tally: BothTally;
  readonly seconds: BothSecond[];
  readonly counts: BothTally['operations']['intent']['whole'];
  readonly errors: string;
}

test('an operation is settled by a returned, resolved or later result, and each is counted once', async () => {
  const { tally, counts, errors } = await play(`
    const ENDS = ['ok', 'rejected', 'failed'];
    let open = 0;
    export async function connect(context) {
      await null;
      open += 1;
      return { context, lastNumber: 100, seen: 100 };
    }
    export function perform(session, operation, context) {
      if (operation.number !== session.seen + 1) throw new Error('numbers are dense');
      if (context.now() < operation.due) throw new Error('before its time');
      if (context.random() >= 1 || context.players !== 6) throw new Error('context');
      if (context.url !== 'http://127.0.0.1:9' || context.urls.length !== 1) throw new Error('url');
      session.seen = operation.number;
      const end = ENDS[operation.number % 3];
      const way = operation.number % 4;
      if (way === 0) return end;
      if (way === 1) return Promise.resolve(end);
      if (way === 2) return void setTimeout(() => context.settle(operation, end), 5);
      context.settle(operation, end);
    }
    export const close = () => { open -= 1; };
  `);
  expect(errors).toBe('');
  for (const end of ['ok', 'rejected', 'failed'] as const) expect(counts[end]).toBeGreaterThan(5);
  expect(counts.ok + counts.rejected + counts.failed).toBe(counts.scheduled);
  expect(tally.strayAnswers).toBe(0);
  expect(figuresOf(tally.ledger).sentMax[0]).toBeGreaterThan(100);
});

test('when a module throws or rejects, its operation fails, and the error names the module', async () => {
  const { counts, errors } = await play(`${CONNECT}
    export function perform(session, operation) {
      if (operation.number % 2) throw new Error('no such spell');
      return Promise.reject(new Error('the gate is shut'));
    }`);
  expect(counts.failed).toBe(counts.scheduled);
  expect(errors).toContain(`the player module ${NAME}: perform: no such spell`);
  expect(errors).toContain(`the player module ${NAME}: perform: the gate is shut`);
});

test('what goes wrong while a session is closed is reported with the name of the module', async () => {
  const fleet = await ready(`${CONNECT} export const perform = () => 'ok';
    export const close = () => { throw new Error('the door is stuck'); };`);
  const { tally } = await run(fleet);
  expect(tally.errors).toEqual([]);
  await fleet.close();
  expect(fleet.closingErrors).toEqual([`the player module ${NAME}: close: the door is stuck (6 times)`]);
});

test('an operation that is never settled times out', async () => {
  const { counts, tally } = await play(`${CONNECT} export function perform() {}`);
  expect(counts.timedOut).toBeGreaterThan(0);
  expect(counts.timedOut + counts.skipped + counts.unfinished).toBe(counts.scheduled);
  expect(tally.strayAnswers).toBe(0);
});

test('settling an operation twice, or an unknown one, is counted and reported', async () => {
  const { counts, tally, errors } = await play(`${CONNECT}
    export function perform(session, operation, context) {
      context.settle(operation, 'ok');
      context.settle(operation, 'ok');
      context.settle({ number: 1e6, due: 0 }, 'ok');
      context.settle(undefined, 'ok');
    }`);
  expect(counts.ok).toBe(counts.scheduled);
  expect(tally.strayAnswers).toBe(3 * counts.scheduled);
  expect(errors).toContain(
    `the player module ${NAME}: settled an operation twice, or one that it did not get`,
  );
});

test('an unknown outcome is a failure', async () => {
  const { counts, errors } = await play(`${CONNECT} export const perform = () => 'great';`);
  // Every operation that a module received counts as sent.
  expect(counts).toMatchObject({ failed: counts.scheduled, failedUnsent: 0 });
  expect(errors).toContain(
    `the player module ${NAME}: settled an operation as great, expected ok, rejected, failed or idle`,
  );
});

test('when a module gives up its connection, unsettled operations fail, and so do all later ones', async () => {
  const { counts, tally, errors } = await play(`${CONNECT}
    export function perform(session, operation, context) {
      if (operation.number < 3) return 'ok';
      context.lost('kicked');
      context.settle(operation, 'ok');
    }`);
  expect(counts.ok).toBe(12);
  expect(counts.failed).toBe(counts.scheduled - 12);
  expect(tally.disconnects).toBe(6);
  expect(errors).toContain(`the player module ${NAME}: a connection was lost: kicked (6 times)`);
});

test('where players reconnect, the module is asked to connect again', async () => {
  const { counts, tally } = await play(
    `${CONNECT}
    let times = 0;
    export function perform(session, operation, context) {
      if (times++ === 3) context.lost('once');
      else return 'ok';
    }`,
    { reconnect: true },
  );
  expect(tally.disconnects).toBeGreaterThan(0);
  expect(tally.reconnects).toBe(tally.disconnects);
  expect(counts.ok + counts.failed).toBe(counts.scheduled);
});

test('a group shares one object, in one worker and at one server, also after its players are back', async () => {
  const at = ['http://127.0.0.1:9', 'http://127.0.0.1:19'].map((url) => ({ url, pid: null }));
  const playing = { protocol: 'module', module: NAME, group: 2 } as const;
  const given = { players: 7, group: 2, outstanding: 1, skipAfter: seconds(4), reconnect: true };
  const fleet = await prepare(
    workload({ playing, ...given }),
    { worlds: at, database: null },
    {
      workers: 2,
      module: moduleOf(`
        export const connect = (context) => {
          const { index, size, shared } = context.group;
          if (index !== Math.floor(context.player / 2) || size !== (context.player === 6 ? 1 : 2)) throw new Error('group');
          shared.members ??= new Map();
          const at = shared.members.get(context.player) ?? { times: 0, url: context.url };
          shared.members.set(context.player, { ...at, times: at.times + 1 });
          return { context };
        };
        export const perform = ({ context }, { number }) => {
          if (number === 3) context.lost();
          const { size, shared } = context.group;
          const members = [...shared.members];
          const isOne = new Set(members.map(([, { url }]) => url)).size === 1;
          const isOwn = members.every(([player]) => Math.floor(player / 2) === context.group.index);
          return members.length === size && isOne && isOwn ? 'ok' : 'rejected';
        };`),
    },
  );
  const { tally } = await run(fleet);
  await fleet.close();
  const { whole } = tally.operations.intent;
  expect(tally.reconnects).toBe(7);
  expect(whole.ok).toBeGreaterThan(14);
  expect(whole.rejected).toBe(0);
});

test('what an answer begins is counted by itself, and what is idle has no answer', async () => {
  const [intent] = workload().operations;
  const operations = [intent!, { ...intent!, id: 'ready', perSecond: 0, due: 'answer' as const }];
  const fleet = await prepare({ ...workload(), operations }, NOWHERE, {
    module: moduleOf(`${CONNECT}
      export function perform(session, { kind, number }, context) {
        if (kind === 'ready') return 'ok';
        session.turn = (session.turn ?? 0) + 1;
        if (session.turn % 3 === 0) return 'idle';
        setTimeout(() => {
          context.settle({ number }, 'ok');
          if (session.turn % 3 === 1) context.start('ready');
        }, 1);
      }`),
  });
  const { tally } = await run(fleet);
  await fleet.close();
  expect(tally.errors).toEqual([]);
  const { intent: asked, ready } = tally.operations as unknown as Readonly<
    Record<string, BothTally['operations']['intent']>
  >;
  expect(asked!.whole.idle).toBeGreaterThan(6);
  expect(asked!.whole.ok + asked!.whole.idle).toBe(asked!.whole.scheduled);
  expect(ready!.whole.scheduled).toBeGreaterThan(6);
  expect(ready!.whole.ok).toBe(ready!.whole.scheduled);
  expect(ready!.whole.scheduled).toBeLessThanOrEqual(asked!.whole.ok);
});

test('a module that blocks its event loop is visible in the health of the worker', async () => {
  const { seconds: all } = await play(`${CONNECT}
    export function perform() {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
      return 'ok';
    }`);
  const longest = Math.max(
    ...all.flatMap(({ workers }) =>
      workers.map((worker) => (worker !== null && 'maxLoopDelayMs' in worker ? worker.maxLoopDelayMs : 0)),
    ),
  );
  expect(longest).toBeGreaterThan(140);
});

test.for([
  ['throws while it is loaded', `throw new Error('no config');`, `${NAME} could not be loaded: no config`],
  ['is no JavaScript', 'export function {', `${NAME} could not be loaded: `],
  ['exports no connect', 'export const perform = () => {};', `${NAME} exports no function connect(context)`],
  ['exports no perform', CONNECT, `${NAME} exports no function perform(session, operation, context)`],
  [
    'throws in connect',
    `export function connect() { throw new Error('bad password'); }\nexport const perform = () => {};`,
    `6 of 6 players could not connect: ${NAME}: connect: bad password`,
  ],
  [
    'ends the process when it is loaded',
    `process.exit(7);\n${CONNECT} export const perform = () => {};`,
    `the player module ${NAME} called process.exit(7)`,
  ],
] as const)('a module that %s does not get ready: 93, and its name', async ([, text, message]) => {
  const error = await failureOf(ready(text));
  expect(error.exitCode).toBe(93);
  if (!message.startsWith('6 of')) return expect(error.message).toContain(message);
  expect(error.message).toMatch(/players could not connect.*: .*my-player\.mjs: connect: bad password/);
  expect(error.hint).toContain("the module's connect");
});

test.for([
  ['calls process.exit', 'process.exit(3)', 'called process.exit(3)'],
  ['lets an error escape', `setTimeout(() => { throw new Error('from a timer'); })`, 'from a timer'],
  ['leaves a rejection to nobody', `void Promise.reject(new Error('unheard'))`, 'unheard'],
] as const)('a module that %s ends the run: 93, and its name', async ([, does, message]) => {
  const fleet = await ready(`${CONNECT} export const perform = () => { ${does}; return 'ok'; };`);
  const error = await failureOf(run(fleet));
  expect(error.exitCode).toBe(93);
  expect(error.message).toContain(`the player module ${NAME}`);
  expect(error.message).toContain(message);
});

test('a worker that a module blocks for ever is noticed after 10 s, named, and killed', {
  timeout: 60_000,
}, async () => {
  const fleet = await ready(`${CONNECT} export const perform = () =>
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`);
  const error = await failureOf(run(fleet));
  expect(error.exitCode).toBe(93);
  expect(error.message).toMatch(/^load worker \d \(process \d+\) has not responded for 10 s/);
  expect(error.hint).toContain(`The player module ${NAME} runs in that process`);
  await fleet.close();
  expect(fleet.workerPids.filter(isAlive)).toEqual([]);
});
