import { randomBytes, randomInt } from 'node:crypto';
import type { WebSocket } from 'ws';
import { messageOf } from '../../../errors.ts';
import { BatchWriter } from '../../../server/batch-writer.ts';
import type { WorldProcess } from '../../../server/frame.ts';
import { openHttpFrame } from '../../../server/http-frame.ts';
import { counter, gauge, openProcessMetrics } from '../../../server/page.ts';
import { RedisClient } from '../../../server/redis-client.ts';
import { bundleFile } from '../../../supervision/bundle-file.ts';
import { type EndedMatch, scoreOf, winnerOf } from '../match.ts';
import { serverKey } from '../stored-match.ts';
import { RESULTS_OF, statementsOf, TABLES } from '../tables.ts';
import {
  encode,
  LONGEST_FRAME,
  PLAY_PATH,
  type RequestFrame,
  type Results,
  readPlayerFrame,
  type ServerFrame,
} from '../wire.ts';
import type { FromWorker, LoadedMatch } from '../worker-messages.ts';
import type { Config } from './config.ts';
import { Directory } from './directory.ts';
import { openWorkers } from './workers.ts';

/** Matches of one transaction, and how long the first waits for others, in milliseconds. */
const BATCH = { limit: 100, intervalMs: 10 };
/** A lock of PostgreSQL, so that only one server creates the tables. */
const TABLES_LOCK = 2_000;
const WRITE_LIMIT_MS = 2_500;
const RECOVER_AGAIN_MS = 100;

/** A request that a worker has not answered yet. */
interface Pending {
  readonly player: number;
  readonly frame: RequestFrame;
  readonly match: { readonly id: number; readonly code: string };
  readonly worker: number;
}

/** Opens the first process of a quiz server: sockets, the directory of its matches, and the writer of those that ended. */
export async function openMatchServer(config: Config, { log }: Pick<WorldProcess, 'log'>) {
  const { instance, workers: count, matchesPerWorker, recover, token, database } = config;
  const directory = new Directory(count, matchesPerWorker);
  const sockets = new Map<number, WebSocket>();
  /** By player. */
  const pending = new Map<number, Pending>();
  const counts = { operations: 0, rejected: 0, created: 0, completed: 0, abandoned: 0 };
  const metrics = openProcessMetrics();
  let state: 'starting' | 'open' | 'closing' = 'starting';
  /** Matches that had ended before this process, until the directory knows all that its workers have loaded. */
  const endedBefore: (readonly [worker: number, match: EndedMatch])[] = [];
  /** Matches of other servers that are being taken over. */
  const taking = new Map<number, { readonly worker: number; readonly done: Promise<void>; end(): void }>();
  /** Reads of PostgreSQL, one after the other. */
  let reading: Promise<unknown> = Promise.resolve();

  const writer = await BatchWriter.open<EndedMatch>({
    ...BATCH,
    database,
    application: `quiz server ${instance}`,
    // A match keeps its place at a worker until it is written.
    most: count * matchesPerWorker,
    log,
    async prepare(client, isFirst) {
      if (!isFirst) return;
      await client.query('begin');
      await client.query(`select pg_advisory_xact_lock(${TABLES_LOCK})`);
      await client.query(TABLES);
      await client.query('commit');
    },
    async write(client, ended) {
      for (const { text, values } of statementsOf(ended)) await client.query(text, [...values]);
    },
  });

  const workers = openWorkers({
    ...{ count, module: bundleFile('quiz-worker-process'), heap: config.workerHeap, log },
    received,
    lost(worker) {
      const matches = directory.of(worker);
      if (recover === 'on') return matches.map(({ id }) => id);
      for (const { id } of matches) abandon(id);
      return [];
    },
    replaced(worker, loaded) {
      const found = new Set(loaded.map(({ id }) => id));
      const isOpen = (id: number): boolean => [...pending.values()].some(({ match }) => match.id === id);
      for (const { id, players } of directory.of(worker)) {
        if (!found.has(id) && !isOpen(id)) abandon(id);
        else
          for (const player of players)
            workers.send(worker, { kind: 'view', player, match: id, first: false });
      }
      // What it was asked for and did not answer; what it has done already it does not do twice.
      for (const { worker: of, ...request } of pending.values())
        if (of === worker) workers.send(worker, { kind: 'request', ...request });
      for (const [match, { worker: of }] of taking)
        if (of === worker) workers.send(worker, { kind: 'take', match });
    },
  });

  const send = (player: number, frame: ServerFrame): void => sockets.get(player)?.send(encode(frame));

  function abandon(id: number): void {
    const match = directory.remove(id);
    if (match === undefined) return;
    counts.abandoned += 1;
    for (const player of match.players) send(player, { event: 'match_unknown', data: { matchId: id } });
  }

  /** Its players find it where it is played now. */
  function moved(id: number): void {
    for (const player of directory.remove(id)?.players ?? [])
      sockets.get(player)?.close(4001, 'the match is played at another server');
  }

  function received(
    worker: number,
    message: Exclude<FromWorker, { readonly kind: 'ready' | 'usage' }>,
  ): void {
    if (message.kind === 'ended') {
      if (state === 'starting') endedBefore.push([worker, message.match]);
      else void complete(worker, message.match);
      return;
    }
    if (message.kind === 'moved') {
      moved(message.id);
      return;
    }
    if (message.kind === 'taken') {
      taken(worker, message.id, message.match);
      return;
    }
    const { sends, answers, created, joined, dropped } = message;
    if (answers !== undefined) {
      const { player, id, isOk } = answers;
      counts.operations += 1;
      if (!isOk) counts.rejected += 1;
      if (pending.get(player)?.frame.id === id) pending.delete(player);
    }
    if (created !== undefined) {
      const { player, ...match } = created;
      if (directory.ofPlayer(player) !== undefined) {
        // It was asked for twice, over two connections: the first one counts, and this one was not acknowledged.
        directory.release(worker);
        workers.send(worker, { kind: 'forget', match: match.id });
        return;
      }
      counts.created += 1;
      directory.add({ ...match, worker, players: [player] });
    }
    if (dropped !== undefined) directory.release(worker);
    if (joined !== undefined) directory.join(joined.match, joined.player);
    for (const [player, text] of sends) sockets.get(player)?.send(text);
  }

  /** Takes over a match that was played at another server, if there is room for it and Redis has it. */
  function take(id: number): Promise<void> {
    const before = taking.get(id);
    if (before !== undefined) return before.done;
    const worker = directory.reserve();
    if (worker === null) return Promise.resolve();
    let end = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      end = resolve;
    });
    taking.set(id, { worker, done, end });
    workers.send(worker, { kind: 'take', match: id });
    return done;
  }

  function taken(worker: number, id: number, match: LoadedMatch | null): void {
    // Each of its players may be in a newer match by now.
    const asked = taking.get(id);
    // It was asked for again after the loss of a worker.
    if (asked === undefined) return;
    const isFree = ({ player }: { readonly player: number }): boolean =>
      directory.ofPlayer(player) === undefined;
    if (match?.players.every(isFree)) {
      directory.add({ id, code: match.code, worker, players: match.players.map(({ player }) => player) });
    } else {
      directory.release(worker);
      if (match !== null) workers.send(worker, { kind: 'leave', match: id });
    }
    taking.delete(id);
    asked.end();
  }

  /** Writes an ended match; its players hear of it once it is committed. */
  async function complete(worker: number, ended: EndedMatch): Promise<void> {
    if (config.complete === 'early') announce(worker, ended);
    try {
      await writer.add(ended);
    } catch (error) {
      // It is in Redis, and is continued by the next process of this server.
      return log(`Match ${ended.id} was not written: ${messageOf(error)}`);
    }
    counts.completed += 1;
    if (config.complete === 'committed') announce(worker, ended);
  }

  /** Removes an ended match from Redis, and sends its results to its players. */
  function announce(worker: number, ended: EndedMatch): void {
    const results = ended.seats.map((seat) => ({ player: seat.player, score: scoreOf(ended, seat) }));
    directory.remove(ended.id);
    workers.send(worker, { kind: 'saved', match: ended.id });
    const data: Results = { matchId: ended.id, results, winner: winnerOf(results) };
    for (const { player } of results) send(player, { event: 'match_completed', data });
  }

  const refuse = (player: number, id: number, message: string, retry: boolean): void => {
    counts.operations += 1;
    counts.rejected += 1;
    send(player, { event: 'error', id, data: { message, retry } });
  };

  function request(player: number, frame: RequestFrame): void {
    const before = pending.get(player);
    if (before !== undefined && before.frame.id === frame.id) return;
    const entered = directory.ofPlayer(player);
    if (entered !== undefined && (frame.event === 'create_friend_match' || frame.event === 'join_match')) {
      // Its connection was lost before it heard of it.
      workers.send(entered.worker, { kind: 'view', player, match: entered.id, first: false });
      refuse(player, frame.id, 'already in a match', false);
      return;
    }
    if (frame.event === 'create_friend_match') {
      const worker = directory.reserve();
      const match = { id: randomInt(2 ** 48 - 1), code: randomBytes(6).toString('base64url') };
      if (worker === null) refuse(player, frame.id, 'no worker has room for a match', true);
      else ask({ player, frame, match, worker });
      return;
    }
    const match =
      frame.event === 'join_match'
        ? directory.ofCode(frame.data.joinCode)
        : directory.matches.get(frame.data.matchId);
    if (match === undefined) {
      refuse(player, frame.id, 'there is no such match here', false);
      return;
    }
    const { id, code, worker } = match;
    ask({ player, frame, match: { id, code }, worker });
  }

  function ask(one: Pending): void {
    const { worker, ...request } = one;
    pending.set(one.player, one);
    workers.send(worker, { kind: 'request', ...request });
  }

  /** The scores of a match that is committed; none of any other. */
  function scoresOf(match: number): Promise<readonly { readonly player: number; readonly score: number }[]> {
    const asked = reading.then(() =>
      writer.connection.query<{ player: number; score: number }>({ text: RESULTS_OF, values: [match] }),
    );
    reading = asked.catch(() => undefined);
    return asked.then(({ rows }) => rows);
  }

  async function authenticate(socket: WebSocket, player: number, believed: number | null): Promise<void> {
    let match = directory.ofPlayer(player);
    sockets.get(player)?.close(4000, 'the player has connected again');
    sockets.set(player, socket);
    if (match === undefined && believed !== null) {
      const rows = await scoresOf(believed);
      if (rows.length > 0) {
        const results = { matchId: believed, results: rows, winner: winnerOf(rows) };
        send(player, { event: 'match_completed', data: results });
      } else {
        // It may have been played at a server that has gone.
        if (recover === 'on' && !directory.matches.has(believed)) await take(believed);
        match = directory.ofPlayer(player);
        if (match === undefined) send(player, { event: 'match_unknown', data: { matchId: believed } });
      }
    }
    if (match !== undefined) {
      workers.send(match.worker, { kind: 'view', player, match: match.id, first: true });
      return;
    }
    send(player, { event: 'authenticated', data: { player } });
  }

  function play(socket: WebSocket): void {
    let player: number | null = null;
    const violated = (why: string): void => socket.close(1008, why);
    socket.on('message', (text) => {
      const frame = readPlayerFrame(String(text));
      if (frame === null) return violated('no frame of this protocol');
      if (frame.event === 'authenticate') {
        if (player !== null) return violated('authenticated already');
        ({ player } = frame.data);
        authenticate(socket, player, frame.data.match).catch((error) => socket.close(1011, messageOf(error)));
      } else if (player === null) violated('authenticate first');
      else request(player, frame);
    });
    socket.on('close', () => {
      if (player === null || sockets.get(player) !== socket) return;
      sockets.delete(player);
      for (const other of directory.ofPlayer(player)?.players ?? [])
        if (other !== player) send(other, { event: 'player_disconnected', data: { player } });
    });
  }

  function page(): string {
    const usage = workers.usage();
    return [
      metrics.render(sockets.size),
      counter('capbench_world_operations_total', counts.operations),
      counter('capbench_world_rejected_total', counts.rejected),
      gauge('capbench_world_active_matches', directory.active),
      gauge('capbench_world_peak_matches', directory.peak),
      counter('capbench_world_matches_created_total', counts.created),
      counter('capbench_world_matches_completed_total', counts.completed),
      counter('capbench_world_matches_abandoned_total', counts.abandoned),
      counter('capbench_world_matches_evicted_total', usage.evicted),
      gauge('capbench_world_workers', usage.active),
      gauge('capbench_world_busy_workers', directory.busyWorkers),
      counter('capbench_world_workers_lost_total', usage.lost),
      gauge(
        'capbench_world_largest_heap_bytes',
        Math.max(process.memoryUsage().heapUsed, usage.largestHeapBytes),
      ),
      counter('capbench_world_redis_failures_total', usage.redisFailures),
      writer.render(),
    ].join('');
  }

  /** The matches of this server in Redis that are not in PostgreSQL. */
  async function matchesInRedis(): Promise<readonly number[]> {
    const redis = await RedisClient.open({
      ...{ url: config.redisUrl, name: `quiz-${instance}`, timeout: config.redisTimeoutMs },
    });
    try {
      for (;;) {
        try {
          const [members] = await redis.run([['smembers', serverKey(instance)]]);
          const ids = (members as readonly string[]).map(Number);
          const { rows } = await writer.connection.query<{ id: string }>({
            ...{ text: 'select id from quiz_match where id = any($1::bigint[])', values: [ids] },
          });
          const written = new Set(rows.map(({ id }) => Number(id)));
          return ids.filter((id) => !written.has(id));
        } catch (error) {
          log(`The matches of this server cannot be read yet: ${messageOf(error)}`);
          await new Promise((resolve) => setTimeout(resolve, RECOVER_AGAIN_MS));
        }
      }
    } finally {
      await redis.close();
    }
  }

  const server = openHttpFrame({
    token,
    health: () => ({
      status: state === 'open' ? 'ok' : state,
      ...{ world: 'quiz', instance, workers: count, matchesPerWorker, activeMatches: directory.active },
    }),
    state: () => state,
    metrics: page,
    sockets: { [PLAY_PATH]: () => play },
    maxPayload: LONGEST_FRAME,
  });
  return {
    ...{ name: `Quiz server ${instance}`, host: config.host, server },
    async start(): Promise<void> {
      const ids = recover === 'on' ? await matchesInRedis() : [];
      const loaded = await workers.start((worker) => ids.filter((_, i) => i % count === worker));
      for (const [worker, match] of directory.recover(loaded)) workers.send(worker, { kind: 'leave', match });
      if (ids.length > 0) log(`Continues ${directory.active} of ${ids.length} matches.`);
      state = 'open';
      for (const [worker, match] of endedBefore.splice(0)) void complete(worker, match);
    },
    /** Takes nothing more; what was acknowledged is in Redis or in PostgreSQL. */
    async close(): Promise<void> {
      state = 'closing';
      for (const socket of sockets.values()) socket.close(1012, 'the server restarts');
      const rest = await writer.close(WRITE_LIMIT_MS);
      if (rest > 0) log(`${rest} ended matches are in Redis only.`);
      await workers.close();
    },
  };
}
