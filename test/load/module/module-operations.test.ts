import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ErrorCounts } from '../../../src/load/error-counts.ts';
import { ModuleProtocol } from '../../../src/load/module/module-protocol.ts';
import {
  codeOfModule,
  codeOfWorld,
  type WorldContext,
  type WorldPart,
} from '../../../src/load/module/player-code.ts';
import { OUTCOME, type Outcome } from '../../../src/load/outcome.ts';
import type { Connection, Listener } from '../../../src/load/player/connection.ts';
import { PlayerSockets } from '../../../src/load/player/player-sockets.ts';
import { PlayerFigures } from '../../../src/load/player-figures.ts';
import type { Connect, Perform } from '../../../src/player.d.ts';

const ROUTE = { url: 'http://127.0.0.1:9', source: null };
const MODULE = { name: './my-player.mjs', close: null, prepare: null, nullServer: null };
const OPERATIONS = [
  { id: 'answer', due: 'schedule' },
  { id: 'ready', due: 'answer' },
] as const;

/** One player of a module, and what its pool would be told. */
async function playerOf(
  perform: Perform,
  connect: Connect = () => ({}),
  operations = [...OPERATIONS],
  code = codeOfModule({ ...MODULE, connect, perform }),
  world: WorldPart | null = null,
) {
  const errors = new ErrorCounts();
  let context: WorldContext | undefined;
  const ends: (readonly [number: number, outcome: Outcome | 'unexpected'])[] = [];
  const begun: number[] = [];
  const planned: (number | undefined)[] = [];
  const protocol = new ModuleProtocol({
    ...{
      ids: Int32Array.of(0),
      players: 1,
      group: 1,
      seed: 1,
      urls: [ROUTE.url],
      route: () => ROUTE,
    },
    ...{ operations, errors, now: () => 0, log: () => {}, client: {} },
    env: {},
    ...{ prepared: null, deliveries: null, figures: new PlayerFigures({ measureStart: 0, end: 1 }) },
    ...{ sockets: new PlayerSockets(), dials: { elsewhere: new Set<string>(), hidden: null } },
    world,
    code: {
      ...code,
      connect: (own) => {
        context = own;
        return code.connect(own);
      },
    },
  });
  const connection = await new Promise<Connection>((resolve, reject) =>
    protocol.dial(0, {
      isOpen: true,
      welcomed: (_player, welcomed) => resolve(welcomed),
      refused: (_player, { what }) => reject(new Error(what)),
    }),
  );
  const listener: Listener = {
    ...{
      received: () => true,
      receivedAll: () => {},
      stated: () => {},
      ended: () => {},
    },
    answered: (_player, number, outcome) => ends.push([number, outcome]),
    idled: (_player, _connection, number) => ends.push([number, OUTCOME.idle]),
    begin: (_player, _connection, operation, due) => {
      planned.push(due);
      return begun.push(operation) < 3;
    },
    unexpected: () => ends.push([0, 'unexpected']),
  };
  connection.listen(listener);
  return { connection, context: context!, ends, begun, planned, errors: () => errors.top(9) };
}

test.each<[string, Perform]>([
  ['returned', () => 'idle'],
  ['resolved', async () => 'idle'],
  [
    'resolved after other promises that wait for nothing',
    async () => {
      for (let i = 0; i < 50; i++) await null;
      return 'idle';
    },
  ],
  ['settled', (_session, operation, context) => context.settle(operation, 'idle')],
])('what is idle at once is idle: %s', async (_, perform) => {
  const { connection, ends, errors } = await playerOf(perform);
  connection.send(0, 1, 0);
  connection.send(0, 2, 0);
  await nextTurn();
  connection.send(0, 3, 0);
  await nextTurn();
  expect(ends).toEqual([1, 2, 3].map((number) => [number, OUTCOME.idle]));
  expect(errors()).toEqual([]);
});

test.each<[string, (then: () => void) => void]>([
  ['setImmediate', (then) => setImmediate(then)],
  ['a timer', (then) => setTimeout(then, 0)],
])('idle after something that waits has failed, and says so: %s', async (_, wait) => {
  const { connection, ends, errors } = await playerOf(
    (_session, _operation) => new Promise((resolve) => wait(() => resolve('idle'))),
  );
  connection.send(0, 1, 0);
  await expect.poll(() => ends).toEqual([[1, OUTCOME.failed]]);
  connection.send(0, 2, 0);
  await expect.poll(() => ends.length).toBe(2);
  expect(ends[1]).toEqual([2, OUTCOME.failed]);
  expect(errors()[0]).toMatch(
    /my-player\.mjs: settled an operation as idle after it had waited, so it has failed/,
  );
});

test('the next event is another turn, even where the event loop looks at both at once', async () => {
  const { connection, context, ends } = await playerOf(() => {});
  setImmediate(() => connection.send(0, 1, 0));
  setImmediate(() => context.settle({ number: 1 }, 'idle'));
  await nextTurn();
  await nextTurn();
  expect(ends).toEqual([[1, OUTCOME.failed]]);
});

test('an earlier operation is not idle because another one has just been performed', async () => {
  const { connection, context, ends } = await playerOf(() => {});
  connection.send(0, 1, 0);
  await nextTurn();
  connection.send(0, 2, 0);
  context.settle({ number: 1 }, 'idle');
  context.settle({ number: 2 }, 'idle');
  expect(ends).toEqual([
    [1, OUTCOME.failed],
    [2, OUTCOME.idle],
  ]);
});

test('context.start begins a kind that follows from an answer, and refuses every other one', async () => {
  const { connection, context, begun, errors } = await playerOf(() => 'ok');
  expect([context.start('ready'), context.start('ready'), context.start('ready')]).toEqual([
    true,
    true,
    false,
  ]);
  expect(begun).toEqual([1, 1, 1]);
  for (const kind of ['answer', 'reddy', 'toString', undefined as unknown as string])
    expect(() => context.start(kind)).toThrow(
      `the player module ./my-player.mjs: start: got ${kind}, expected one with due: answer: ready`,
    );
  expect(errors()).toHaveLength(4);
  connection.close();
  expect(context.start('ready')).toBe(false);
  expect(begun).toHaveLength(3);
});

const WORLD: WorldPart = { pace: 1, loadStarted: async () => {} };

test("a world's players say when an operation was planned, and their errors name the world", async () => {
  const code = codeOfWorld({ name: 'mud', connect: () => ({}), perform: () => 'ok' });
  const { context, planned, errors } = await playerOf(() => 'ok', undefined, undefined, code, WORLD);
  context.start('ready', -5);
  context.start('ready');
  expect(planned).toEqual([-5, undefined]);
  for (const due of [1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => context.start('ready', due)).toThrow(
      `a mud player: start: got ${due} as the planned time, expected microseconds of now or before`,
    );
  expect(errors()).toHaveLength(3);
  expect(planned).toHaveLength(2);
});

test("a second argument of a user's module is none", async () => {
  const { context, planned } = await playerOf(() => 'ok');
  [7, 8].forEach((_, index) => void context.start('ready', index + 1));
  expect(planned).toEqual([undefined, undefined]);
});

test('what context.start refuses is in the errors once, though perform throws it on', async () => {
  const { connection, errors } = await playerOf((_session, _operation, context) => {
    context.start('unknown');
    return 'ok';
  });
  connection.send(0, 1, 0);
  expect(errors()).toEqual([expect.stringContaining('start: got unknown')]);
});

test('a scenario without such a kind says so; before the welcome nothing is begun', async () => {
  let early: boolean | undefined;
  const { context } = await playerOf(
    () => 'ok',
    (own) => {
      early = own.start('ready');
      return {};
    },
  );
  expect(early).toBe(false);
  expect(context.start('ready')).toBe(true);
  const other = await playerOf(() => 'ok', undefined, [OPERATIONS[0]] as never);
  expect(() => other.context.start('ready')).toThrow(
    'got ready, and no kind of the scenario has due: answer',
  );
});

test.each([Number.MAX_SAFE_INTEGER, 2 ** 52 + 1, 1.5, -1, Number.NaN, '7'])(
  'a session whose lastNumber is %j does not connect',
  async (lastNumber) => {
    const connect = () => ({ lastNumber }) as { lastNumber: number };
    await expect(playerOf(() => 'ok', connect)).rejects.toThrow(
      /^\.\/my-player\.mjs: connect: got (a string|\S+) as the session's lastNumber, expected a whole number of 0 to 2\^52$/,
    );
  },
);

test.each([0, 2 ** 52])('a session whose lastNumber is %j connects', async (lastNumber) => {
  const { connection, ends } = await playerOf(
    () => 'ok',
    () => ({ lastNumber }),
  );
  connection.send(0, lastNumber + 1, 0);
  expect(ends).toEqual([[lastNumber + 1, OUTCOME.ok]]);
});
