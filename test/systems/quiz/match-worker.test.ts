import { expect, test } from 'vitest';
import { RedisUnavailable } from '../../../src/server/redis-client.ts';
import { type Fields, fieldsOf } from '../../../src/systems/quiz/stored-match.ts';
import type { ServerFrame } from '../../../src/systems/quiz/wire.ts';
import type { FromWorker } from '../../../src/systems/quiz/worker-messages.ts';
import type { MatchStore, Whereabouts } from '../../../src/systems/quiz/worker-process/match-store.ts';
import { openMatchWorker } from '../../../src/systems/quiz/worker-process/match-worker.ts';
import type { Acknowledge } from '../../../src/systems/quiz/workload.ts';

/** A worker whose store answers when it is told to: `done` of the oldest write that waits. */
function opened(acknowledge: Acknowledge) {
  const waiting: { readonly done: () => void; readonly fail: (error: Error) => void }[] = [];
  let found: Whereabouts = 'here';
  const create = () => new Promise<void>((done, fail) => waiting.push({ done, fail }));
  const write = () => create().then(() => found);
  const written: Fields[] = [];
  const store: MatchStore = {
    ...{ create, write, remove: async () => undefined, leave: async () => undefined },
    rewrite: async (matches, _, more) => {
      for (const match of matches) written.push({ ...fieldsOf(match), ...more });
    },
    whereabouts: async (ids) => ids.map(() => found),
    take: async () => ({}),
    left: async () => [],
    load: async () => [],
  };
  const sent: FromWorker[] = [];
  const worker = openMatchWorker({
    ...{ server: 1, questions: 1, acknowledge, store, log: () => undefined },
    send: (message) => sent.push(message),
  });
  const ask = (player: number, frame: object): Promise<void> =>
    worker.receive({ kind: 'request', player, match: { id: 7, code: 'abc' }, frame } as never);
  /** The events that players were sent so far. */
  const events = (): readonly string[] =>
    sent.flatMap((message) =>
      message.kind === 'did'
        ? message.sends.map(([player, text]) => `${player} ${(JSON.parse(text) as ServerFrame).event}`)
        : [message.kind],
    );
  const stored = async (asked: Promise<void>): Promise<void> => {
    waiting.shift()?.done();
    await asked;
  };
  /** Where the store has the matches from now on. */
  const put = (at: Whereabouts): void => {
    found = at;
  };
  return { worker, waiting, ask, events, stored, put, written };
}

async function begun(acknowledge: Acknowledge) {
  const own = opened(acknowledge);
  const { ask, stored } = own;
  await stored(ask(0, { event: 'create_friend_match', id: 1, data: { quiz: 3 } }));
  await stored(ask(1, { event: 'join_match', id: 1, data: { joinCode: 'abc' } }));
  for (const player of [0, 1])
    await stored(ask(player, { event: 'player_ready', id: 2, data: { matchId: 7 } }));
  return own;
}

const answer = (id: number) => ({
  ...{ event: 'submit_answer', id },
  data: { matchId: 7, questionId: 0, questionIndex: 0, selectedOptions: [1], timeSpent: 9 },
});

test('nothing is acknowledged before it is stored, and the end is reported after the last answer', async () => {
  const { ask, events, stored } = await begun('stored');
  expect(events()).toEqual([
    ...['0 friend_match_created', '1 match_joined', '0 player_list_updated', '0 player_ready'],
    ...['1 player_ready', '0 match_started', '1 match_started'],
  ]);
  const before = events().length;
  const [first, second] = [ask(0, answer(3)), ask(1, answer(3))];
  await Promise.resolve();
  expect(events()).toHaveLength(before);
  await stored(first);
  await stored(second);
  expect(events().slice(before)).toEqual(['0 answer_result', '1 answer_result', 'ended']);
});

test('the broken variant acknowledges answers before they are stored', async () => {
  const { ask, events, waiting, worker } = await begun('early');
  await ask(0, answer(3));
  expect(events().at(-1)).toBe('0 answer_result');
  expect(waiting).toEqual([]);
  void worker.flush();
  expect(waiting).toHaveLength(1);
});

test('what the store refuses is refused; a match that may have been created in vain is removed later', async () => {
  const { ask, events, waiting, worker } = opened('stored');
  const asked = ask(0, { event: 'create_friend_match', id: 1, data: { quiz: 3 } });
  waiting.shift()?.fail(new RedisUnavailable('no answer', true));
  await asked;
  expect(events()).toEqual(['0 error']);
  expect([...worker.doomed].map(({ id }) => id)).toEqual([7]);
  expect(worker.matches.size).toBe(0);
});

test('who asks for what is not possible is sent where the match stands', async () => {
  const { ask, events } = await begun('stored');
  await ask(0, { event: 'player_ready', id: 9, data: { matchId: 7 } });
  expect(events().slice(-2)).toEqual(['0 error', '0 match_reconnected']);
  // The same operation again, after the loss of a worker, is done already.
  await ask(0, { event: 'player_ready', id: 2, data: { matchId: 7 } });
  expect(events().at(-1)).toBe('0 player_ready');
});

test('an evicted match is written as a whole, with the answer, before that is acknowledged', async () => {
  const { ask, events, stored, put, written, worker } = await begun('stored');
  put('nowhere');
  await stored(ask(0, answer(3)));
  expect(written.map((fields) => Object.keys(fields))).toEqual([
    ['head', 'ready:0', 'join', 'ready:1', 'answer:0:0'],
  ]);
  expect(events().at(-1)).toBe('0 answer_result');
  await worker.compare();
  expect([written.length, worker.evicted()]).toEqual([2, 2]);
});

test('a match that another server has taken over is not played here any more', async () => {
  const { ask, events, stored, put, written, worker } = await begun('stored');
  put('elsewhere');
  await stored(ask(0, answer(3)));
  expect(events().slice(-3)).toEqual(['0 error', '0 match_reconnected', 'moved']);
  expect([worker.matches.size, written.length]).toEqual([0, 0]);
});

test('a match that another server has taken over is found without a request', async () => {
  const { events, put, worker } = await begun('stored');
  put('elsewhere');
  await worker.compare();
  expect(events().at(-1)).toBe('moved');
  expect(worker.matches.size).toBe(0);
});
