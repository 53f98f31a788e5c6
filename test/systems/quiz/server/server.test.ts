import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { choiceOf, pointsOf, quizOf } from '../../../../src/systems/quiz/questions.ts';
import type { PlayerFrame, ServerFrame } from '../../../../src/systems/quiz/wire.ts';
import { bundled } from '../../../bundled.ts';
import { REDIS, startRealRedis } from '../../../real-redis.ts';
import { startDatabase, type TestDatabase } from '../../flux/server/server.ts';

/** One quiz server with two worker processes, on real Redis and PostgreSQL; players are driven frame by frame. */

const [SEED, QUESTIONS] = [3, 2];
let db: TestDatabase;
let programs: Awaited<ReturnType<typeof bundled>>;
beforeAll(async () => {
  [db, programs] = await Promise.all([
    startDatabase(),
    bundled({
      'quiz-server': 'src/systems/quiz/server/main.ts',
      'quiz-worker-process': 'src/systems/quiz/worker-process/main.ts',
    }),
  ]);
});
afterAll(async () => {
  programs?.remove();
  await db?.close();
});

type Of<Event extends ServerFrame['event']> = Extract<ServerFrame, { readonly event: Event }>;

/** A player over one socket: what it was sent waits until it is asked for. */
async function player(url: string, id: number, match: number | null = null) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/play`);
  onTestFinished(() => socket.terminate());
  const frames: ServerFrame[] = [];
  let wake = (): void => undefined;
  socket.on('message', (text) => {
    frames.push(JSON.parse(String(text)));
    wake();
  });
  await once(socket, 'open');
  const send = (frame: PlayerFrame): void => socket.send(JSON.stringify(frame));
  /** The next frame of this event; the others before it are skipped. */
  async function next<Event extends ServerFrame['event']>(event: Event): Promise<Of<Event>> {
    for (;;) {
      const at = frames.findIndex((frame) => frame.event === event);
      if (at >= 0) return frames.splice(0, at + 1).at(-1) as Of<Event>;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  send({ event: 'authenticate', data: { player: id, match } });
  return { id, socket, send, next };
}
type Player = Awaited<ReturnType<typeof player>>;

let databases = 0;
async function world(more: Readonly<Record<string, string>> = {}) {
  const sql = await db.create(`quiz_${++databases}`);
  const redis = await startRealRedis(onTestFinished);
  let child: ChildProcess;
  const children: ChildProcess[] = [];
  async function start(own: Readonly<Record<string, string>> = {}): Promise<string> {
    child = fork(programs.file('quiz-server'), {
      env: {
        ...{ PATH: process.env.PATH, ...db.environment, REDIS_URL: redis.url, HOST: '127.0.0.1', PORT: '0' },
        ...{ INSTANCE_ID: '1', WORKERS: '2', MATCHES_PER_WORKER: '1', QUESTIONS: String(QUESTIONS) },
        ...{
          MATCH_TTL_MS: '60000',
          REDIS_TIMEOUT_MS: '2000',
          TOKEN: '',
          COMPLETE: 'committed',
          ...more,
          ...own,
        },
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.push(child);
    const [{ port }] = await once(child, 'message');
    return `http://127.0.0.1:${port}`;
  }
  const stop = async (signal: NodeJS.Signals): Promise<unknown> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    return ended;
  };
  onTestFinished(async () => {
    for (const one of children) one.kill('SIGKILL');
    await stop('SIGKILL');
  });
  return { sql, redis, start, stop, pid: () => child.pid };
}

/** Creates, joins and starts a match; `first` is the number of each player's first operation. */
async function begin(creator: Player, joiner: Player, first = 1): Promise<number> {
  creator.send({ event: 'create_friend_match', id: first, data: { quiz: quizOf(SEED, creator.id, first) } });
  const { matchId, joinCode } = (await creator.next('friend_match_created')).data;
  joiner.send({ event: 'join_match', id: first, data: { joinCode } });
  expect(await joiner.next('match_joined')).toMatchObject({ id: first, data: { matchId } });
  expect((await creator.next('player_list_updated')).data.players).toEqual([creator.id, joiner.id]);
  for (const one of [creator, joiner]) {
    one.send({ event: 'player_ready', id: first + 1, data: { matchId } });
    await one.next('player_ready');
  }
  return matchId;
}

/** Answers a question; resolves when that is acknowledged. */
async function answer(one: Player, matchId: number, questionIndex: number, id: number) {
  const selectedOptions = [choiceOf(SEED, one.id, id)];
  const data = { matchId, questionId: 0, questionIndex, selectedOptions, timeSpent: 5 };
  one.send({ event: 'submit_answer', id, data });
  return (await one.next('answer_result')).data;
}

/** The matches that a server counts. */
const active = async (url: string): Promise<unknown> =>
  ((await (await fetch(`${url}/health`)).json()) as { activeMatches: number }).activeMatches;

/** The process ids of a server's workers. */
const childrenOf = (pid: number | undefined): readonly number[] =>
  execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);

describe.skipIf(REDIS === null)('a quiz server', () => {
  test('plays a match from its code to its rows, which are those that seed and numbers imply', {
    timeout: 60_000,
  }, async () => {
    const { sql, start } = await world();
    const url = await start();
    const [a, b] = await Promise.all([player(url, 0), player(url, 1)]);
    const matchId = await begin(a, b);
    const quiz = quizOf(SEED, 0, 1);
    const scores = [0, 0];
    for (let question = 0; question < QUESTIONS; question++) {
      for (const [i, one] of [a, b].entries()) {
        const shown = await one.next(question === 0 ? 'match_started' : 'next_question');
        expect(shown.data).toMatchObject({ matchId, questionIndex: question, totalQuestions: QUESTIONS });
        const points = pointsOf(quiz, question, choiceOf(SEED, one.id, 3 + question));
        scores[i]! += points;
        expect(await answer(one, matchId, question, 3 + question)).toMatchObject({
          points,
          totalScore: scores[i],
        });
      }
    }
    for (const one of [a, b]) {
      const { results } = (await one.next('match_completed')).data;
      expect(results).toEqual([
        { player: 0, score: scores[0] },
        { player: 1, score: scores[1] },
      ]);
    }
    const { rows } = await sql.query(
      'select player, entry_number, ready_number, score from match_player where match_id = $1 order by player',
      [matchId],
    );
    expect(rows).toEqual([
      { player: 0, entry_number: 1, ready_number: 2, score: scores[0] },
      { player: 1, entry_number: 1, ready_number: 2, score: scores[1] },
    ]);
    const answers = await sql.query('select player, number from match_answer order by player, number');
    expect(answers.rows).toEqual([0, 1].flatMap((id) => [3, 4].map((number) => ({ player: id, number }))));
  });

  test('refuses what the rules do not allow, and a match more than it has places for', {
    timeout: 60_000,
  }, async () => {
    const { start } = await world();
    const url = await start();
    const players = await Promise.all([0, 2, 4].map((id) => player(url, id)));
    const [first, second, third] = players as [Player, Player, Player];
    const create = (one: Player): void =>
      one.send({ event: 'create_friend_match', id: 1, data: { quiz: 1 } });
    create(first);
    create(second);
    const answers = await Promise.all([
      first.next('friend_match_created'),
      second.next('friend_match_created'),
    ]);
    // Frames of different sockets have no order.
    create(third);
    expect((await third.next('error')).data).toEqual({
      message: 'no worker has room for a match',
      retry: true,
    });
    const { matchId } = answers[0].data;
    first.send({ event: 'player_ready', id: 2, data: { matchId } });
    expect((await first.next('error')).data.message).toBe('nobody has joined yet');
    third.send({ event: 'join_match', id: 2, data: { joinCode: 'wrong' } });
    expect((await third.next('error')).data.message).toBe('there is no such match here');
  });

  test('a killed worker and a killed server are replaced, and every match goes on where it was', {
    timeout: 90_000,
  }, async () => {
    const { sql, start, stop, pid } = await world();
    let url = await start();
    let [a, b] = await Promise.all([player(url, 0), player(url, 1)]);
    const matchId = await begin(a, b);
    await answer(a, matchId, 0, 3);
    for (const worker of childrenOf(pid())) process.kill(worker, 'SIGKILL');
    expect((await a.next('match_reconnected')).data).toMatchObject({ questionIndex: 0, answered: true });
    expect((await b.next('match_reconnected')).data).toMatchObject({ questionIndex: 0, answered: false });
    await answer(b, matchId, 0, 3);
    await b.next('next_question');

    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const workers = childrenOf(pid());
      await stop(signal);
      const isAlive = (worker: number): boolean => {
        try {
          return process.kill(worker, 0);
        } catch {
          return false;
        }
      };
      await expect.poll(() => workers.filter(isAlive), { timeout: 10_000 }).toEqual([]);
      url = await start();
      [a, b] = await Promise.all([player(url, 0, matchId), player(url, 1, matchId)]);
      for (const one of [a, b])
        expect((await one.next('match_reconnected')).data).toMatchObject({ matchId, questionIndex: 1 });
    }
    await Promise.all([answer(a, matchId, 1, 4), answer(b, matchId, 1, 4)]);
    await Promise.all([a.next('match_completed'), b.next('match_completed')]);
    expect((await sql.query('select count(*)::int as answers from match_answer')).rows).toEqual([
      { answers: 4 },
    ]);
    // Who missed the end hears of it when it connects again.
    const late = await player(url, 1, matchId);
    expect((await late.next('match_completed')).data.matchId).toBe(matchId);
    const lost = await player(url, 0, 77);
    expect((await lost.next('match_unknown')).data.matchId).toBe(77);
  });

  test('a match that had ended when the server was killed is written by the next process, and gives its place back', {
    timeout: 60_000,
  }, async () => {
    const { sql, start, stop } = await world({ WORKERS: '1' });
    let url = await start();
    const [a, b] = await Promise.all([player(url, 0), player(url, 1)]);
    const matchId = await begin(a, b);
    await sql.query('begin; lock table quiz_match');
    for (const question of [0, 1])
      for (const one of [a, b]) await answer(one, matchId, question, 3 + question);
    await stop('SIGKILL');
    await sql.query('commit');
    expect((await sql.query('select id from quiz_match')).rows).toEqual([]);
    url = await start();
    const [again, other] = await Promise.all([player(url, 0, matchId), player(url, 2)]);
    expect((await again.next('match_completed')).data.matchId).toBe(matchId);
    expect((await sql.query('select count(*)::int as answers from match_answer')).rows).toEqual([
      { answers: 4 },
    ]);
    other.send({ event: 'create_friend_match', id: 1, data: { quiz: 1 } });
    await other.next('friend_match_created');
  });

  test('a Redis that comes back empty is given the matches again, before anything else is acknowledged', {
    timeout: 60_000,
  }, async () => {
    const { redis, sql, start } = await world();
    const url = await start();
    const [a, b] = await Promise.all([player(url, 0), player(url, 1)]);
    const matchId = await begin(a, b);
    await answer(a, matchId, 0, 3);
    await redis.kill();
    const data = { matchId, questionId: 0, questionIndex: 0, selectedOptions: [0], timeSpent: 5 };
    b.send({ event: 'submit_answer', id: 3, data });
    expect((await b.next('error')).data.retry).toBe(true);
    await redis.start();
    const client = new Redis(redis.url, { disableClientInfo: true });
    onTestFinished(() => client.disconnect());
    await expect
      .poll(() => client.hkeys(`match:${matchId}`), { timeout: 20_000 })
      .toEqual([...['server', 'head', 'ready:0', 'answer:0:0', 'join', 'ready:1']]);
    await answer(b, matchId, 0, 4);
    await Promise.all([answer(a, matchId, 1, 4), answer(b, matchId, 1, 5)]);
    await b.next('match_completed');
    await expect.poll(() => client.exists(`match:${matchId}`)).toBe(0);
    const { rows } = await sql.query('select number from match_answer where player = 1 order by number');
    expect(rows).toEqual([{ number: 4 }, { number: 5 }]);
  });

  test('a match whose players come to another server is played there, and only there', {
    timeout: 60_000,
  }, async () => {
    const { redis, sql, start } = await world();
    const [first, second] = [await start(), await start({ INSTANCE_ID: '2' })];
    const [a, b] = await Promise.all([player(first, 0), player(first, 1)]);
    const matchId = await begin(a, b);
    await answer(a, matchId, 0, 3);
    const moved = await player(second, 1, matchId);
    expect((await moved.next('match_reconnected')).data).toMatchObject({ matchId, answered: false });
    // The first server compares its matches with Redis, and sends the other player away.
    const [code] = await once(a.socket, 'close');
    expect(code).toBe(4001);
    const client = new Redis(redis.url, { disableClientInfo: true });
    onTestFinished(() => client.disconnect());
    expect(await Promise.all([active(first), active(second)])).toEqual([0, 1]);
    const other = await player(second, 0, matchId);
    expect((await other.next('match_reconnected')).data).toMatchObject({ matchId, answered: true });
    await answer(moved, matchId, 0, 3);
    await Promise.all([answer(other, matchId, 1, 4), answer(moved, matchId, 1, 4)]);
    await Promise.all([other.next('match_completed'), moved.next('match_completed')]);
    expect((await sql.query('select server from quiz_match')).rows).toEqual([{ server: 2 }]);
    await expect.poll(() => client.exists(`match:${matchId}`, 'server:2:matches')).toBe(0);
  });

  test('a match whose players have begun another one elsewhere is not continued by its old server', {
    timeout: 60_000,
  }, async () => {
    const { redis, start, stop } = await world();
    const url = await start();
    const left = await begin(await player(url, 0), await player(url, 1));
    await stop('SIGKILL');
    // They do not know of the old match.
    const second = await start({ INSTANCE_ID: '2' });
    const matchId = await begin(await player(second, 0), await player(second, 1), 10);
    const again = await start();
    expect(await Promise.all([active(again), active(second)])).toEqual([0, 1]);
    const client = new Redis(redis.url, { disableClientInfo: true });
    onTestFinished(() => client.disconnect());
    expect(await client.smembers('server:1:matches')).toEqual([]);
    expect(await client.smembers('server:2:matches')).toEqual([String(matchId)]);
    // What was acknowledged in it is kept.
    expect(await client.exists(`match:${left}`)).toBe(1);
  });

  test('an evicted match is written again as long as its worker lives, and is lost with it', {
    timeout: 60_000,
  }, async () => {
    const { redis, start, stop } = await world();
    const url = await start();
    const [a, b] = await Promise.all([player(url, 0), player(url, 1)]);
    const matchId = await begin(a, b);
    await answer(a, matchId, 0, 3);
    const client = new Redis(redis.url, { disableClientInfo: true });
    onTestFinished(() => client.disconnect());
    await client.flushall();
    await answer(b, matchId, 0, 3);
    expect(await client.hkeys(`match:${matchId}`)).toEqual(
      expect.arrayContaining(['server', 'head', 'join', 'ready:0', 'ready:1', 'answer:0:0', 'answer:1:0']),
    );
    // Nobody answers now: the worker finds it when it compares.
    await client.flushall();
    await expect.poll(() => client.exists(`match:${matchId}`), { timeout: 20_000 }).toBe(1);
    const page = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
    await expect.poll(page, { timeout: 20_000 }).toMatch(/^capbench_world_matches_evicted_total 2$/m);
    await stop('SIGKILL');
    await client.flushall();
    const again = await player(await start(), 0, matchId);
    expect((await again.next('match_unknown')).data.matchId).toBe(matchId);
  });

  test('the variant that acknowledges early forgets an acknowledged answer when the server is killed', {
    timeout: 60_000,
  }, async () => {
    const { start, stop } = await world({ ACKNOWLEDGE: 'early' });
    const url = await start();
    const [a, b] = await Promise.all([player(url, 0), player(url, 1)]);
    const matchId = await begin(a, b);
    await answer(a, matchId, 0, 3);
    await stop('SIGKILL');
    const again = await player(await start(), 0, matchId);
    expect((await again.next('match_reconnected')).data).toMatchObject({ matchId, answered: false });
  });

  test('the variant that announces the end before it is committed forgets the match when the server is killed', {
    timeout: 60_000,
  }, async () => {
    const { sql, start, stop } = await world({ COMPLETE: 'early' });
    const url = await start();
    const [a, b] = await Promise.all([player(url, 0), player(url, 1)]);
    const matchId = await begin(a, b);
    await sql.query('begin; lock table quiz_match');
    for (const question of [0, 1])
      for (const one of [a, b]) await answer(one, matchId, question, 3 + question);
    await Promise.all([a.next('match_completed'), b.next('match_completed')]);
    await stop('SIGKILL');
    await sql.query('commit');
    const again = await player(await start(), 0, matchId);
    expect((await again.next('match_unknown')).data.matchId).toBe(matchId);
  });

  test('without recovery a killed worker takes its matches with it, and the players hear of it', {
    timeout: 60_000,
  }, async () => {
    const { start, pid } = await world({ RECOVER: 'off' });
    const url = await start();
    const [a, b] = await Promise.all([player(url, 0), player(url, 1)]);
    const matchId = await begin(a, b);
    for (const worker of childrenOf(pid())) process.kill(worker, 'SIGKILL');
    for (const one of [a, b]) expect((await one.next('match_unknown')).data.matchId).toBe(matchId);
  });
});
