import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { countOf } from '../../src/histogram.ts';
import { ErrorCounts } from '../../src/load/error-counts.ts';
import { SequenceLedger } from '../../src/load/ledger.ts';
import { OUTCOME, type Outcome } from '../../src/load/outcome.ts';
import type { Connection } from '../../src/load/player/connection.ts';
import { PlayerPool } from '../../src/load/player/player-pool.ts';
import { Recorder } from '../../src/load/recorder.ts';
import { ScheduleHash } from '../../src/load/schedule-hash.ts';
import type { LedgerPlan } from '../../src/scenario/system-scenario.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import { micros } from '../../src/units.ts';
import { settled } from '../counts.ts';
import { workloadWith } from './a-workload.ts';
import { figuresOf } from './ledger-figures.ts';

const PLAYERS = 3;
const SECOND = 1_000_000;
/** By index: what has a schedule, and what begins after an answer. */
const [ASK, READY] = [0, 1];
type Sent = (player: number, operation: number, sequence: number) => void;

/** Players on a simulated clock, of whom a test says what becomes of each operation that is sent. */
class Game {
  now = -1;
  /** By player and turn: [operation, sequence] of what was sent. */
  readonly sent = Array.from({ length: PLAYERS }, (): [operation: number, sequence: number][] => []);
  readonly lost: number[] = [];
  readonly recorder: Recorder;
  readonly ledger = new SequenceLedger(PLAYERS);
  readonly hash = new ScheduleHash();
  readonly errors = new ErrorCounts();
  readonly pool: PlayerPool;
  readonly connections: Connection[];

  constructor(
    onSend: Sent = () => {},
    {
      outstanding = 2,
      reconnect = false,
      perSecond = 60,
      ledger: plan,
    }: {
      outstanding?: number;
      reconnect?: boolean;
      perSecond?: number;
      ledger?: LedgerPlan | undefined;
    } = {},
  ) {
    const { operations: all, ...rest } = workloadWith({
      players: PLAYERS,
      monsters: 0,
      warmUp: 1,
      duration: 2,
    });
    const operations: Workload['operations'] = [
      { ...all[0]!, id: 'ask', perSecond },
      { ...all[0]!, id: 'ready', perSecond: 0, due: 'answer' },
    ];
    const workload = {
      ...rest,
      operations,
      outstanding,
      ledger: plan,
      skipAfter: micros(300_000),
      timeout: micros(400_000),
    };
    const { recorder, ledger, hash, errors } = this.toolsOf(workload);
    this.recorder = recorder;
    const ids = Int32Array.from({ length: PLAYERS }, (_, player) => player);
    this.pool = new PlayerPool(workload, ids, {
      recorder,
      ledger,
      hash,
      errors,
      deliveries: null,
      now: () => this.now,
    });
    if (reconnect) this.pool.reconnectBy({ left: () => {}, lost: (player) => this.lost.push(player) });
    this.connections = this.sent.map((_, player) => this.connect(player, onSend));
    for (const [player, connection] of this.connections.entries()) this.pool.welcome(player, connection, 0);
    this.pool.start();
  }

  private toolsOf({ operations, timeline }: Workload) {
    const { ledger, hash, errors } = this;
    return { recorder: new Recorder(operations, timeline), ledger, hash, errors };
  }

  connect(player: number, onSend: Sent): Connection {
    return {
      ...{ isOpen: true, listen: () => {}, close: () => {}, cut: () => {} },
      send: (operation, sequence) => {
        this.sent[player]!.push([operation, sequence]);
        onSend(player, operation, sequence);
        return 0;
      },
    };
  }

  begin(player: number): boolean {
    return this.pool.begin(player, this.connections[player]!, READY);
  }

  answer(player: number, sequence: number, outcome: Outcome = OUTCOME.ok): void {
    this.pool.received(player, this.connections[player]!, 1);
    this.pool.answered(player, sequence, outcome);
    this.pool.receivedAll(player);
  }

  idle(player: number, sequence: number): void {
    this.pool.idled(player, this.connections[player]!, sequence);
  }

  /** Runs what is due until then. */
  runTo(end: number): void {
    while (this.pool.nextDue <= end) {
      this.now = Math.max(this.now, this.pool.nextDue);
      this.pool.send(this.now);
    }
    this.now = end;
    this.pool.sweep(end);
  }

  /** The tally, which checks conservation for each kind. */
  finish() {
    this.runTo(Math.max(this.now, 3 * SECOND));
    this.pool.finish(this.now);
    const { ask, ready } = this.recorder.tally();
    for (const { whole } of [ask!, ready!]) expect(settled(whole)).toBe(whole.scheduled);
    return { ask: ask!, ready: ready! };
  }
}

test.each<[what: string, plan: LedgerPlan | undefined, isAcked: boolean]>([
  ['uses up its number', undefined, true],
  ['uses up its number where servers acknowledge at two levels', { timed: true }, true],
  [
    'leaves its number unacknowledged where it leaves no trace',
    { timed: true, rejected: 'unrecorded' },
    false,
  ],
])('a rejected operation %s', (_, ledger, isAcked) => {
  const game: Game = new Game(
    (player, __, sequence) => game.answer(player, sequence, sequence % 2 ? OUTCOME.ok : OUTCOME.rejected),
    { ledger },
  );
  const { ok, rejected } = game.finish().ask.whole;
  expect(Math.min(ok, rejected)).toBeGreaterThan(20);
  const { sentN, ackedN } = figuresOf(game.ledger.toData());
  const sumOf = (all: Float64Array) => all.reduce((sum, one) => sum + one, 0);
  expect([sumOf(sentN), sumOf(ackedN)]).toEqual([ok + rejected, isAcked ? ok + rejected : ok]);
});

test('what is idle has no latency, keeps no slot, and gives its number back', () => {
  const game: Game = new Game((player, _, sequence) => {
    if (game.now % 3 === 0) game.answer(player, sequence);
    else game.idle(player, sequence);
  });
  const { ask } = game.finish();
  const { ok, idle, scheduled } = ask.whole;
  expect(idle).toBeGreaterThan(20);
  expect(ok).toBeGreaterThan(20);
  expect(ok + idle).toBe(scheduled);
  expect(countOf(ask.due)).toBe(ask.measured.ok);
  expect(ask.measured.idle).toBeGreaterThan(0);
  expect(game.pool.inFlight(ASK)).toBe(0);
  // Every number was answered, each once, and the ledger knows of no other.
  const { sentN, ackedN } = figuresOf(game.ledger.toData());
  const sumOf = (all: Float64Array) => all.reduce((sum, one) => sum + one, 0);
  expect([sumOf(sentN), sumOf(ackedN)]).toEqual([ok, ok]);
  expect(game.pool.strayAnswers).toBe(0);
});

test('a number is not given back when the player has a later one', () => {
  const game = new Game(() => {}, { perSecond: 0 });
  game.now = 10;
  const operation = [0, 0].map(() => game.begin(0));
  expect(operation).toEqual([true, true]);
  game.runTo(20);
  expect(game.sent[0]).toEqual([
    [READY, 1],
    [READY, 2],
  ]);
  game.idle(0, 1);
  game.answer(0, 2);
  game.begin(0);
  game.runTo(30);
  expect(game.sent[0]!.at(-1)).toEqual([READY, 3]);
  game.answer(0, 3);
  expect(game.finish().ready.whole).toMatchObject({ scheduled: 3, ok: 2, idle: 1 });
});

test('what waits for no answer cannot be idle', () => {
  const game = new Game(() => {}, { perSecond: 0 });
  game.idle(0, 1);
  expect(game.pool.strayAnswers).toBe(1);
  expect(game.finish().ready.whole).toMatchObject({ scheduled: 0, idle: 0 });
});

test('what an answer begins is due then, is in no schedule, and is performed when the turn is over', async () => {
  const begun: number[] = [];
  const game: Game = new Game((player, operation, sequence) => {
    game.answer(player, sequence);
    if (operation === ASK && game.begin(player)) begun.push(game.now);
  });
  const alone = new Game((player, _, sequence) => alone.answer(player, sequence));
  alone.finish();
  while (game.pool.nextDue < 3 * SECOND) {
    game.now = game.pool.nextDue;
    game.pool.send(game.now);
    const count = game.sent.flat().length;
    await nextTurn();
    expect(game.sent.flat().length).toBeGreaterThan(count);
  }
  const { ask, ready } = game.finish();
  expect(ready.whole.scheduled).toBe(begun.length);
  expect(ready.whole.ok).toBe(begun.length);
  // It belongs to the measure phase by the time at which it was begun; its lag counts from there.
  expect(ready.measured.scheduled).toBe(begun.filter((at) => at >= SECOND && at < 3 * SECOND).length);
  expect(countOf(ready.lag)).toBe(ready.measured.ok);
  expect(ask.whole).toMatchObject({ scheduled: ask.whole.ok });
  expect(game.hash.words()).toEqual(alone.hash.words());
});

test('nothing is begun before GO, after the end of the schedule, or over a connection that is not in use', async () => {
  const game = new Game(() => {}, { perSecond: 0 });
  expect(game.begin(0)).toBe(false);
  game.now = 3 * SECOND - 1;
  expect(game.begin(0)).toBe(true);
  game.now = 3 * SECOND;
  expect(game.begin(0)).toBe(false);
  game.now = SECOND;
  expect(game.pool.begin(0, game.connections[1]!, READY)).toBe(false);
  game.pool.ended(1, game.connections[1]!);
  expect(game.begin(1)).toBe(false);
  game.pool.stop(SECOND);
  expect(game.begin(2)).toBe(false);
  expect(game.pool.isDrained).toBe(false);
  await nextTurn();
  game.answer(0, 1);
  expect(game.pool.isDrained).toBe(true);
  expect(game.finish().ready.whole).toMatchObject({ scheduled: 1, ok: 1 });
});

test('a player who is about to leave begins nothing more', async () => {
  const game = new Game(() => {}, { perSecond: 0, reconnect: true });
  game.now = SECOND;
  expect(game.begin(0)).toBe(true);
  await nextTurn();
  game.pool.leave(0, SECOND);
  expect(game.begin(0)).toBe(false);
  game.answer(0, 1);
  expect(game.pool.leaves).toBe(1);
  expect(game.finish().ready.whole).toMatchObject({ scheduled: 1, ok: 1 });
});

test('what is begun waits for a slot, is skipped when it waits too long, and times out like any other', async () => {
  const game = new Game(() => {}, { perSecond: 0, outstanding: 1 });
  game.now = SECOND;
  for (let i = 0; i < 3; i++) game.begin(0);
  // More may not wait.
  for (let i = 0; i < 50; i++) game.begin(1);
  await nextTurn();
  expect(game.sent.map((own) => own.length)).toEqual([1, 1, 0]);
  expect(game.recorder.takeSecond(READY, 0)).toMatchObject({ scheduled: 53 });
  game.answer(0, 1);
  expect(game.sent[0]).toHaveLength(2);
  game.now = 1.35 * SECOND;
  game.answer(0, 2);
  expect(game.sent[0]).toHaveLength(2);
  game.runTo(2 * SECOND);
  const { whole } = game.finish().ready;
  expect(whole).toMatchObject({ scheduled: 53, ok: 2, timedOut: 1, skipped: 50 });
});

test('with the connection fails what was begun; where players come back it waits for them', async () => {
  for (const reconnect of [false, true]) {
    const game = new Game((player, _, sequence) => game.now > 1.1 * SECOND && game.answer(player, sequence), {
      ...{ perSecond: 0, outstanding: 1, reconnect },
    });
    game.now = SECOND;
    for (let i = 0; i < 3; i++) game.begin(0);
    await nextTurn();
    game.pool.ended(0, game.connections[0]!);
    if (reconnect) {
      game.now = 1.2 * SECOND;
      game.connections[0] = game.connect(0, (player, _, sequence) => game.answer(player, sequence));
      game.pool.resume(0, game.connections[0]!, { lastSequence: null, stated: null });
    }
    const { whole } = game.finish().ready;
    expect(whole).toMatchObject(
      reconnect ? { scheduled: 3, failed: 1, ok: 2 } : { scheduled: 3, failed: 3, failedUnsent: 2 },
    );
  }
});

test('an operation that begins the next one for ever leaves the event loop to others', async () => {
  const game: Game = new Game(
    (player, _, sequence) => {
      game.begin(player);
      game.idle(player, sequence);
    },
    { perSecond: 0 },
  );
  game.now = SECOND;
  game.begin(0);
  for (let turn = 1; turn <= 5; turn++) {
    await nextTurn();
    expect(game.sent[0]!.length).toBeLessThanOrEqual(2 * turn);
  }
  expect(game.sent[0]!.length).toBeGreaterThan(2);
  const { whole } = game.finish().ready;
  expect(whole.idle + whole.skipped).toBe(whole.scheduled);
});
