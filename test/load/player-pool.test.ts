import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { countOf } from '../../src/histogram.ts';
import { ErrorCounts } from '../../src/load/error-counts.ts';
import { SequenceLedger } from '../../src/load/ledger.ts';
import { OUTCOME } from '../../src/load/outcome.ts';
import type { Connection } from '../../src/load/player/connection.ts';
import { PlayerPool } from '../../src/load/player/player-pool.ts';
import { SocketConnection } from '../../src/load/player/socket-protocol.ts';
import { Recorder } from '../../src/load/recorder.ts';
import { ScheduleHash } from '../../src/load/schedule-hash.ts';
import { compareLedger } from '../../src/probe/counted-rows.ts';
import { random } from '../../src/rng.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import { FluxCodec } from '../../src/systems/flux/player.ts';
import { micros } from '../../src/units.ts';
import { LOST_NOTHING } from '../counts.ts';
import { ofBoth, workloadWith } from './a-workload.ts';
import { figuresOf, rowsOf } from './ledger-figures.ts';
import { plannedHash } from './planned-hash.ts';

const PLAYERS = 5;
const SKIP_AFTER = 300_000;
const TIMEOUT = 400_000;

/** The client's end of a connection without a network: it keeps what it sends, and emits what the test gives it. */
class FakeSocket extends EventEmitter {
  readyState: number = WebSocket.OPEN;
  readonly sent: number[] = [];

  send(frame: Buffer): void {
    this.sent.push(JSON.parse(frame.toString()).seq);
  }

  acknowledge(seq: number): void {
    this.emit('message', Buffer.from(`{"acks":[{"seq":${seq},"ok":${seq % 5 > 0}}]}`));
  }

  terminate(): void {
    this.readyState = WebSocket.CLOSED;
  }

  close(): void {
    this.terminate();
  }
}

/** Players on a simulated clock, with simulated connections. */
class Stage {
  now = 0;
  readonly lost: number[] = [];
  /** The players that left since the last call. */
  readonly left: number[] = [];
  readonly recorder: Recorder;
  readonly ledger = new SequenceLedger(PLAYERS);
  readonly errors = new ErrorCounts();
  readonly pool: PlayerPool;
  private readonly codec: FluxCodec;
  readonly sockets: FakeSocket[] = [];

  constructor(reconnect: boolean, { intentRate = 10, duration = 3 } = {}) {
    const workload = workloadWith({
      ...{ players: PLAYERS, duration, intentRate },
      ...{ skipAfter: micros(SKIP_AFTER), timeout: micros(TIMEOUT) },
    });
    const ids = Int32Array.from({ length: PLAYERS }, (_, player) => player);
    this.recorder = new Recorder(workload.operations, workload.timeline);
    this.codec = new FluxCodec(workload.seed, ids);
    const { recorder, ledger, errors } = this;
    this.pool = new PlayerPool(workload, ids, {
      ...{ recorder, ledger, errors, hash: new ScheduleHash(), deliveries: null },
      now: () => this.now,
    });
    if (reconnect) {
      this.pool.reconnectBy({
        left: (player) => this.left.push(player),
        lost: (player) => this.lost.push(player),
      });
    }
    for (let player = 0; player < PLAYERS; player++) {
      const socket = new FakeSocket();
      this.sockets.push(socket);
      this.pool.welcome(player, this.over(player, socket), 0);
    }
    this.pool.start();
  }

  private over(player: number, socket: FakeSocket): SocketConnection {
    return new SocketConnection(player, socket as unknown as WebSocket, {
      ...{ codec: this.codec, errors: this.errors, ids: new Int32Array() },
      route: () => ({ url: '', source: null }),
    });
  }

  socket(player: number): FakeSocket {
    return this.sockets[player] as FakeSocket;
  }

  /** Reports the end of a connection to the client. */
  lose(player: number): void {
    const socket = this.socket(player);
    socket.readyState = WebSocket.CLOSED;
    socket.emit('close', 1006, Buffer.alloc(0));
  }

  resume(player: number, lastSequence: number): FakeSocket {
    const socket = new FakeSocket();
    this.sockets[player] = socket;
    this.pool.resume(player, this.over(player, socket), { lastSequence, stated: 1 });
    return socket;
  }

  /** Advances at least to the next due time, and runs everything that is due then. */
  advance(): void {
    this.now = Math.max(this.now, this.pool.nextDue);
    this.pool.send(this.now);
  }
}

/** A server that commits in order and answers a part; when it is killed, it keeps what is committed. */
test('with lost, answered and late operations, each is counted once, and the ledger agrees with the rows', () => {
  let reused = 0;
  let away = 0;
  let left = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const draw = random(seed, 7);
    const stage = new Stage(true);
    const rows = Array.from({ length: PLAYERS }, (): number[] => []);
    const onLine = Array.from({ length: PLAYERS }, (): number[] => []);
    const toAnswer = Array.from({ length: PLAYERS }, (): number[] => []);
    let arrived = 0;
    const collect = (): void => {
      for (let player = 0; player < PLAYERS; player++) {
        const sent = stage.socket(player).sent.splice(0);
        arrived += sent.length;
        onLine[player]?.push(...sent);
      }
    };
    const commit = (player: number, most: number): void => {
      const done = onLine[player]?.splice(0, most) ?? [];
      rows[player]?.push(...done);
      toAnswer[player]?.push(...done);
    };
    while (stage.now < 3.5e6) {
      stage.now += Math.floor(draw() * 40_000);
      stage.pool.send(stage.now);
      collect();
      // A player that left is away like a lost one; its next welcome decides about unacknowledged operations.
      for (const player of stage.left.splice(0)) {
        expect(stage.socket(player).readyState).toBe(WebSocket.CLOSED);
        stage.lost.push(player);
        commit(player, Math.floor(draw() * 4));
        onLine[player] = [];
        toAnswer[player] = [];
        left += 1;
      }
      const player = Math.floor(draw() * PLAYERS);
      const choice = draw();
      const isAway = stage.lost.includes(player);
      if (isAway) {
        away += 1;
        if (choice < 0.2) {
          stage.lost.splice(stage.lost.indexOf(player), 1);
          stage.resume(player, rows[player]?.at(-1) ?? 0);
        }
      } else if (choice < 0.6) {
        commit(player, 3);
      } else if (choice < 0.9) {
        // A frame may acknowledge any committed operations, in any order.
        const ready = toAnswer[player] ?? [];
        const [seq] = ready.splice(Math.floor(draw() * ready.length), 1);
        if (seq !== undefined) stage.socket(player).acknowledge(seq);
      } else if (choice < 0.97) {
        // A part of what was in flight still arrives and is not answered.
        commit(player, Math.floor(draw() * 4));
        onLine[player] = [];
        toAnswer[player] = [];
        const old = stage.socket(player);
        stage.lose(player);
        // Events of an ended connection have no effect.
        old.acknowledge(1);
        old.emit('close', 1006, Buffer.alloc(0));
      } else {
        stage.pool.leave(player, 1000);
      }
      collect();
      if (draw() < 0.2) stage.pool.sweep(stage.now);
    }
    stage.pool.finish(stage.now);
    // Throws when an operation is counted twice or not at all.
    const { intent } = ofBoth(stage.recorder.tally());
    expect(intent.whole.scheduled).toBeGreaterThan(140);
    for (const kind of ['ok', 'failed', 'timedOut', 'skipped'] as const) {
      expect(intent.whole[kind]).toBeGreaterThan(0);
    }
    expect(stage.pool.strayAnswers).toBe(0);
    const { disconnects, reconnects, leaves, joins, connected } = stage.pool;
    const gone = stage.lost.length + stage.left.length;
    expect(disconnects + leaves - reconnects - joins).toBe(gone);
    expect(connected).toBe(PLAYERS - gone);

    for (const numbers of rows) expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    const empty = rowsOf([], PLAYERS);
    const ledger = stage.ledger.toData();
    const found = compareLedger(ledger, empty, rowsOf(rows.entries(), PLAYERS));
    expect(found).toMatchObject(LOST_NOTHING);
    expect(found.sent).toBeLessThanOrEqual(arrived);
    reused += arrived - found.sent;
    // A missing write in any row is found, and so is one that replaces another.
    const { ackedMax } = figuresOf(ledger);
    const victim = rows.findIndex(
      (numbers, player) => ackedMax[player] === numbers.length && numbers.length > 2,
    );
    if (victim >= 0) {
      const last = rows[victim]?.pop() ?? 0;
      expect(compareLedger(ledger, empty, rowsOf(rows.entries(), PLAYERS)).lost).toBeGreaterThan(0);
      rows[victim]?.splice(0, 2, 2, 2, last - 1);
      expect(compareLedger(ledger, empty, rowsOf(rows.entries(), PLAYERS)).lost).toBeGreaterThan(0);
    }
  }
  expect(reused).toBeGreaterThan(100);
  expect(away).toBeGreaterThan(100);
  expect(left).toBeGreaterThan(20);
});

/** Ends the run, and returns its tally of intents. */
function finish(stage: Stage) {
  stage.pool.finish(stage.now);
  return ofBoth(stage.recorder.tally()).intent;
}

const answerAll = (stage: Stage): void => {
  for (const socket of stage.sockets) {
    for (let seq = socket.sent.shift(); seq !== undefined; seq = socket.sent.shift()) socket.acknowledge(seq);
  }
};

test('own lag is the time from due to sent when the player could have sent', () => {
  const stage = new Stage(false);
  stage.now = stage.pool.nextDue + 700;
  stage.pool.send(stage.now);
  answerAll(stage);
  const { ownLag, lag } = finish(stage);
  expect(ownLag.max).toBe(700);
  expect(ownLag).toEqual(lag);
});

test("a slow server adds to the schedule lag, and not to the generator's own lag", () => {
  const stage = new Stage(false, { intentRate: 20 });
  // Four are sent in 200 ms; the others wait for an answer, at most for about 100 ms.
  while (stage.now < 300_000) stage.advance();
  answerAll(stage);
  const { whole, ownLag, lag } = finish(stage);
  expect(whole.ok + whole.rejected).toBe(whole.scheduled);
  expect(lag.max).toBeGreaterThan(60_000);
  expect(ownLag.max).toBe(0);
  expect(countOf(ownLag)).toBe(whole.scheduled);
});

test('operations that a late worker skips count in its own lag', () => {
  const stage = new Stage(false);
  const first = stage.pool.nextDue;
  stage.now = first + SKIP_AFTER + 50_000;
  stage.pool.send(stage.now);
  const { whole, ownLag } = finish(stage);
  expect(whole.skipped).toBeGreaterThan(0);
  expect(countOf(ownLag)).toBe(whole.scheduled);
  expect(ownLag.max).toBe(SKIP_AFTER + 50_000);
});

test('but not if the player could not have sent them', () => {
  const stage = new Stage(false);
  while (stage.now < 600_000) stage.advance();
  const sent = stage.sockets.reduce((sum, socket) => sum + socket.sent.length, 0);
  expect(sent).toBe(4 * PLAYERS);
  stage.now += 2 * SKIP_AFTER;
  stage.pool.send(stage.now);
  const { whole, ownLag } = finish(stage);
  expect(whole.skipped).toBe(whole.scheduled - sent);
  expect(countOf(ownLag)).toBe(sent);
  expect(ownLag.max).toBe(0);
});

test("operations that wait for a connection are sent after the welcome, and their lag is not the generator's own", () => {
  const stage = new Stage(true);
  for (let player = 0; player < PLAYERS; player++) stage.lose(player);
  while (stage.now < 200_000) stage.advance();
  for (let player = 0; player < PLAYERS; player++) stage.resume(player, 0);
  answerAll(stage);
  const { whole, ownLag, lag } = finish(stage);
  expect(whole.scheduled).toBeGreaterThanOrEqual(PLAYERS);
  expect(whole.ok + whole.rejected).toBe(whole.scheduled);
  expect(lag.max).toBeGreaterThan(100_000);
  expect(ownLag.max).toBe(0);
});

test('an operation on a closing connection waits for the next one', () => {
  const stage = new Stage(true);
  for (const socket of stage.sockets) socket.readyState = WebSocket.CLOSING;
  while (stage.now < 150_000) stage.advance();
  for (let player = 0; player < PLAYERS; player++) {
    stage.lose(player);
    stage.resume(player, 0);
  }
  answerAll(stage);
  const { whole } = finish(stage);
  expect(whole.ok + whole.rejected).toBe(whole.scheduled);
});

test('the share of cut connections is exact, and the seed decides which', () => {
  const cut = (seed: number): number[] => {
    const stage = new Stage(true);
    stage.lose(0);
    expect(stage.pool.drop(50, seed)).toBe(2);
    return stage.sockets.flatMap(({ readyState }, player) =>
      player > 0 && readyState === WebSocket.CLOSED ? [player] : [],
    );
  };
  expect(cut(1)).toHaveLength(2);
  expect(cut(1)).toEqual(cut(1));
  expect(new Set([1, 2, 3, 4, 5, 6].map((seed) => cut(seed).join())).size).toBeGreaterThan(1);
  const stage = new Stage(true);
  expect([stage.pool.drop(0, 1), stage.pool.drop(100, 1), stage.pool.drop(100, 1)]).toEqual([0, 5, 0]);
});

test('a player leaves after its last answer, lets due operations wait, and continues after it has rejoined', () => {
  const stage = new Stage(true);
  stage.advance();
  const player = stage.sockets.findIndex(({ sent }) => sent.length > 0);
  stage.pool.leave(player, 5000);
  expect(stage.left).toEqual([]);
  expect(stage.socket(player).readyState).toBe(WebSocket.OPEN);
  const sent = stage.socket(player).sent.length;
  stage.now += 300_000;
  stage.pool.send(stage.now);
  // A player that is about to leave sends nothing new.
  expect(stage.socket(player).sent).toHaveLength(sent);
  stage.socket(player).acknowledge(1);
  expect(stage.left).toEqual([player]);
  expect(stage.pool).toMatchObject({ leaves: 1, joins: 0, disconnects: 0, connected: PLAYERS - 1 });
  stage.pool.leave(player, 5000);
  stage.socket(player).emit('close', 1000);
  expect(stage.pool).toMatchObject({ leaves: 1, disconnects: 0, connected: PLAYERS - 1 });
  const again = stage.resume(player, 1);
  expect(stage.pool).toMatchObject({ leaves: 1, joins: 1, reconnects: 0, connected: PLAYERS });
  // The waiting operations are sent with the next number.
  expect(again.sent[0]).toBe(2);
  expect(finish(stage).whole.failed).toBe(0);
});

test('a player who is not meant to be there any more leaves after its last answer, and comes when it is meant to be', () => {
  const stage = new Stage(true);
  while (stage.socket(0).sent.length === 0) stage.advance();
  stage.pool.retire(0);
  expect(stage.socket(0).readyState).toBe(WebSocket.OPEN);
  // Meant to be there again before that: it stays.
  stage.pool.join(0);
  stage.socket(0).acknowledge(1);
  expect([stage.socket(0).readyState, stage.pool.leaves, stage.left]).toEqual([WebSocket.OPEN, 0, []]);

  const { sent } = stage.socket(0);
  while (sent.length < 2) stage.advance();
  stage.pool.retire(0);
  stage.socket(0).acknowledge(2);
  expect([stage.socket(0).readyState, stage.pool.leaves, stage.pool.connected]).toEqual([
    WebSocket.CLOSED,
    1,
    4,
  ]);
  // It is nobody's to bring back until it joins.
  expect([stage.left, stage.lost, stage.pool.wants(0)]).toEqual([[], [], false]);
  stage.pool.join(0);
  expect([stage.left, stage.pool.wants(0)]).toEqual([[0], true]);
  stage.resume(0, 2);
  expect([stage.pool.joins, stage.pool.reconnects, stage.pool.connected]).toEqual([1, 0, 5]);

  // A connection that ends meanwhile has its operations failed, and is not opened again.
  while (stage.socket(0).sent.length === 0) stage.advance();
  stage.pool.retire(0);
  stage.lose(0);
  expect([stage.lost, stage.pool.disconnects, stage.pool.leaves]).toEqual([[], 1, 1]);
  // One that was on its way when the player was asked to leave is closed again.
  stage.resume(0, 3);
  expect([stage.socket(0).readyState, stage.pool.connected]).toEqual([WebSocket.CLOSED, 4]);
});

test('without reconnects, no player leaves', () => {
  const stage = new Stage(false);
  stage.advance();
  stage.pool.leave(0, 1000);
  stage.pool.sweep(stage.now);
  expect(stage.pool).toMatchObject({ leaves: 0, connected: PLAYERS });
});

/** `perSecond` of each operation, of all players together. */
const severalOf = (...perSecond: readonly number[]): Workload => {
  const [intent] = workloadWith().operations;
  const operations = perSecond.map((rate, index) => ({ ...intent!, id: `do-${index}`, perSecond: rate }));
  return { ...workloadWith({ players: PLAYERS, monsters: 0, duration: 20 }), operations };
};

test('each of several operations has its own exact schedule, for any number of workers', async () => {
  const hash = await plannedHash(severalOf(30, 10), 1);
  for (const workers of [2, 4]) expect(await plannedHash(severalOf(30, 10), workers)).toBe(hash);
  expect(await plannedHash(severalOf(10, 30), 1)).not.toBe(hash);
  expect(await plannedHash({ ...severalOf(30, 10), seed: 8 }, 1)).not.toBe(hash);
  // An operation with a rate of 0 changes nothing.
  expect(await plannedHash(severalOf(40, 0), 2)).toBe(await plannedHash(severalOf(40), 1));
});

test('each of several operations is due at its own rate, and counted separately', () => {
  const workload = severalOf(60, 20);
  const recorder = new Recorder(workload.operations, workload.timeline);
  const sent: { operation: number; sequence: number }[][] = Array.from({ length: PLAYERS }, () => []);
  let now = 0;
  const ids = Int32Array.from({ length: PLAYERS }, (_, player) => player);
  const pool = new PlayerPool(workload, ids, {
    ...{ recorder, ledger: new SequenceLedger(PLAYERS), hash: new ScheduleHash() },
    ...{ errors: new ErrorCounts(), now: () => now, deliveries: null },
  });
  const connections = sent.map(
    (own): Connection => ({
      ...{ isOpen: true, listen: () => {}, close: () => {}, cut: () => {} },
      send: (operation, sequence) => own.push({ operation, sequence }),
    }),
  );
  for (const [player, connection] of connections.entries()) pool.welcome(player, connection, 0);
  pool.start();
  const asked = [0, 0];
  while (pool.nextDue !== Number.POSITIVE_INFINITY) {
    now = pool.nextDue;
    pool.send(now);
    const open = sent
      .flat()
      .reduce((count, { operation }) => count.with(operation, count[operation]! + 1), [0, 0]);
    expect([pool.inFlight(0), pool.inFlight(1)]).toEqual(open);
    // The first operation is accepted and the second rejected, only now and then, so that some have to wait.
    if (now % 3 > 0) continue;
    for (const [player, own] of sent.entries()) {
      pool.received(player, connections[player]!, 1);
      for (const { operation, sequence } of own.splice(0)) {
        asked[operation]! += 1;
        pool.answered(player, sequence, operation === 0 ? OUTCOME.ok : OUTCOME.rejected);
      }
      pool.receivedAll(player);
    }
  }
  pool.finish(now);
  const [often, seldom] = Object.values(recorder.tally()).map(({ whole }) => whole);
  expect(often).toMatchObject({ ok: asked[0], rejected: 0 });
  expect(seldom).toMatchObject({ rejected: asked[1], ok: 0 });
  // Nothing is random: each count is exact to one arrival for each player.
  expect(Math.abs(often!.scheduled - 60 * 20)).toBeLessThanOrEqual(PLAYERS);
  expect(Math.abs(seldom!.scheduled - 20 * 20)).toBeLessThanOrEqual(PLAYERS);
});
