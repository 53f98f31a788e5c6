import { expect, test } from 'vitest';
import { countOf } from '../../src/histogram.ts';
import { DELIVERY_COUNTS, Deliveries, type DeliveryCounts, MOST_PAIRS } from '../../src/load/deliveries.ts';
import { ALL, type DeliveryBatch, DeliveryLog, OTHERS } from '../../src/load/delivery-log.ts';

/** Times in the tables are seconds after GO: the measure phase is 10 to 20, and a key closes 2 s after its due time. */
const s = (seconds: number): number => seconds * 1e6;
const PLAYERS = 6;

type Event =
  | readonly ['expect', key: string, due: number, players: number | readonly number[], sender?: number]
  | readonly ['hear', key: string, player: number, at: number]
  | readonly ['lost' | 'back', player: number, at: number]
  /** Everything of this worker until then has arrived. */
  | readonly ['told', until: number];

/** A log as a worker has one, whose batches are joined when it is flushed. */
function logInto(take: (batch: DeliveryBatch) => void): { log: DeliveryLog; play: (event: Event) => void } {
  const log = new DeliveryLog(take);
  const play = (event: Event): void => {
    if (event[0] === 'expect') log.expect(event[1], event[4] ?? 0, s(event[2]), event[3]);
    else if (event[0] === 'hear') log.deliver(event[1], event[2], s(event[3]));
    else if (event[0] !== 'told') log.connected(event[1], s(event[2]), event[0] === 'back');
  };
  return { log, play };
}

const joinOf = (workers = 1, players = PLAYERS): Deliveries =>
  new Deliveries({ players, workers, timeout: s(2), from: s(10), to: s(20) });

/** What one worker's events come to. */
function resultOf(events: readonly Event[]) {
  const join = joinOf();
  const { log, play } = logInto((batch) => join.add(batch));
  for (const event of events) {
    play(event);
    if (event[0] !== 'told') continue;
    log.flush();
    join.upTo(0, s(event[1]));
  }
  log.flush();
  const isSettled = join.isSettled;
  return { ...join.finish()!, isSettled };
}

const NONE = Object.fromEntries(DELIVERY_COUNTS.map((name) => [name, 0])) as Record<
  keyof DeliveryCounts,
  number
>;

const CASES: readonly (readonly [what: string, events: readonly Event[], counts: Partial<DeliveryCounts>])[] =
  [
    [
      'heard in time by those who are named',
      [
        ['expect', 'a', 11, [1, 2]],
        ['hear', 'a', 1, 11.1],
        ['hear', 'a', 2, 12.9],
      ],
      { expected: 2, delivered: 2 },
    ],
    [
      'not heard: lost, once the key has closed or the run is over',
      [
        ['expect', 'a', 11, [1, 2]],
        ['hear', 'a', 1, 11.1],
        ['told', 14],
      ],
      { expected: 2, delivered: 1, lost: 1 },
    ],
    [
      'open at the end: lost',
      [
        ['expect', 'a', 19.9, [1]],
        ['told', 20],
      ],
      { expected: 1, lost: 1 },
    ],
    [
      'heard after the close: lost and late, and then twice',
      [
        ['expect', 'a', 11, [1]],
        ['told', 14],
        ['hear', 'a', 1, 13.5],
        ['hear', 'a', 1, 13.6],
      ],
      { expected: 1, lost: 1, late: 1, duplicated: 1 },
    ],
    [
      'heard after the close, but told before it is closed: late as well',
      [
        ['expect', 'a', 11, [1]],
        ['hear', 'a', 1, 13.001],
      ],
      { expected: 1, lost: 1, late: 1 },
    ],
    [
      'heard twice',
      [
        ['expect', 'a', 11, [1]],
        ['hear', 'a', 1, 11.1],
        ['hear', 'a', 1, 11.2],
        ['hear', 'a', 1, 13.2],
      ],
      { expected: 1, delivered: 1, duplicated: 2 },
    ],
    [
      'heard before it is expected, which is usual',
      [
        ['hear', 'a', 1, 11.1],
        ['told', 12],
        ['expect', 'a', 11, [1]],
      ],
      { expected: 1, delivered: 1 },
    ],
    [
      'expected more than a timeout after it was heard: nobody knew what that was',
      [
        ['hear', 'a', 1, 11.1],
        ['told', 14],
        ['expect', 'a', 11, [1]],
      ],
      { expected: 1, lost: 1, unexpected: 1 },
    ],
    [
      'never expected: only of the measure phase',
      [
        ['hear', 'a', 1, 9.9],
        ['hear', 'b', 1, 10],
        ['hear', 'c', 1, 20],
      ],
      { unexpected: 1 },
    ],
    [
      'heard by somebody who was not named; what the sender hears of its own is no surprise',
      [
        ['expect', 'a', 11, [1], 5],
        ['hear', 'a', 1, 11.1],
        ['hear', 'a', 4, 11.1],
        ['hear', 'a', 5, 11.1],
      ],
      { expected: 1, delivered: 1, unexpected: 1 },
    ],
    [
      'others: not the sender; all: the sender, too',
      [
        ['expect', 'a', 11, OTHERS, 2],
        ['expect', 'b', 11, ALL, 2],
        ['hear', 'a', 2, 11.1],
        ['hear', 'b', 2, 11.1],
      ],
      { expected: 11, delivered: 1, lost: 10 },
    ],
    [
      'not connected at some time between the due time and the close: excused; before and after it: lost',
      [
        ['lost', 1, 10.5],
        ['back', 1, 11.5],
        ['lost', 2, 12.9],
        ['lost', 3, 10],
        ['back', 3, 10.9],
        ['expect', 'a', 11, [1, 2, 3, 4]],
        ['told', 13.5],
        ['lost', 4, 13.6],
        ['told', 15],
      ],
      { expected: 4, excused: 2, lost: 2 },
    ],
    [
      'heard, and lost afterwards: delivered',
      [
        ['expect', 'a', 11, [1]],
        ['hear', 'a', 1, 11.1],
        ['lost', 1, 11.2],
      ],
      { expected: 1, delivered: 1 },
    ],
    [
      'never connected: excused',
      [
        ['lost', 1, Number.NEGATIVE_INFINITY],
        ['told', 11],
        ['expect', 'a', 11, [1]],
        ['told', 15],
      ],
      { expected: 1, excused: 1 },
    ],
    [
      'due before or after the measure phase: not counted, whatever becomes of it',
      [
        ['expect', 'a', 9.9, ALL],
        ['expect', 'b', 20, ALL],
        ['hear', 'a', 1, 10.5],
        ['hear', 'a', 1, 10.6],
      ],
      {},
    ],
    [
      'expected twice: the second time is not followed',
      [
        ['expect', 'a', 11, [1]],
        ['expect', 'a', 11.5, [2, 3]],
        ['hear', 'a', 1, 11.1],
      ],
      { expected: 1, delivered: 1, untracked: 2 },
    ],
  ];

test.each(CASES)('%s', (_what, events, counts) => {
  const result = resultOf(events);
  expect(result).toMatchObject({ ...NONE, ...counts });
  expect(countOf(result.latency)).toBe(result.delivered);
});

test('the latency counts from the due time of the sender; the seconds are those in which it was due', () => {
  const { latency, seconds, lostOnes } = resultOf([
    ['expect', 'tick 7', 11.5, [1, 3]],
    ['hear', 'tick 7', 1, 11.75],
    ['told', 16],
  ]);
  expect(latency).toMatchObject({ min: 250_000, max: 250_000 });
  expect(seconds.expected[11]).toBe(2);
  expect(seconds.delivered[11]).toBe(1);
  expect(seconds.lost[11]).toBe(1);
  expect(lostOnes).toEqual(['"tick 7" by player 3']);
});

test('a key is closed only when every worker has told everything until its close', () => {
  const join = joinOf(2);
  const [sender, receiver] = [0, 1].map(() => logInto((batch) => join.add(batch)));
  sender!.play(['expect', 'a', 11, [1]]);
  sender!.log.flush();
  join.upTo(0, s(30));
  expect(join.isSettled).toBe(false);
  receiver!.play(['hear', 'a', 1, 12]);
  receiver!.log.flush();
  join.upTo(1, s(12));
  expect(join.isSettled).toBe(true);
  expect(join.finish()).toMatchObject({ expected: 1, delivered: 1, lost: 0, late: 0 });
});

test('the same events give the same counts with one, two and four workers, in any order of their batches', () => {
  const results = [1, 2, 4].map((workers) => {
    const join = joinOf(workers, 40);
    const logs = Array.from({ length: workers }, () => logInto((batch) => join.add(batch)));
    const at = (player: number) => logs[player % workers]!;
    for (let second = 10; second < 24; second++) {
      for (let sender = 0; second < 20 && sender < 40; sender++) {
        const key = `${second}-${sender}`;
        at(sender).play(['expect', key, second + 0.5, OTHERS, sender]);
        for (let player = 0; player < 40; player++) {
          // One in a hundred is never heard, and one in fifty twice.
          const n = second * 1600 + sender * 40 + player;
          if (player === sender || n % 100 === 0) continue;
          at(player).play(['hear', key, player, second + 0.6]);
          if (n % 50 === 1) at(player).play(['hear', key, player, second + 0.7]);
        }
      }
      // The last worker tells first in every other second.
      const order = second % 2 === 0 ? [...logs.keys()] : [...logs.keys()].toReversed();
      for (const worker of order) {
        logs[worker]!.log.flush();
        join.upTo(worker, s(second + 1));
      }
    }
    const { lostOnes: _, ...tally } = join.finish()!;
    return tally;
  });
  expect(results[0]).toMatchObject({ expected: 10 * 40 * 39, excused: 0, unexpected: 0, untracked: 0 });
  expect(results[0]!.lost).toBeGreaterThan(100);
  expect(results[0]!.duplicated).toBeGreaterThan(100);
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test('memory is bounded: what is too much at once is not followed, and closed keys make room', () => {
  const players = 1_000_000;
  const join = joinOf(1, players);
  const { log, play } = logInto((batch) => join.add(batch));
  const most = MOST_PAIRS / players;
  for (let i = 0; i <= most; i++) play(['expect', `a${i}`, 11, ALL]);
  play(['hear', 'nobody knows', 1, 11]);
  log.flush();
  join.upTo(0, s(16));
  play(['expect', 'b', 16, [1]]);
  play(['hear', 'b', 1, 16.1]);
  log.flush();
  const { expected, delivered, untracked } = join.finish()!;
  expect({ expected, delivered }).toEqual({ expected: MOST_PAIRS + 1, delivered: 1 });
  expect(untracked).toBe(players + 1);
});

test('the drain waits for what may still be heard, and not for players who are away', () => {
  const join = joinOf();
  const { log, play } = logInto((batch) => join.add(batch));
  play(['lost', 1, 9]);
  play(['expect', 'a', 19, [1, 2]]);
  log.flush();
  expect(join.isSettled).toBe(false);
  play(['lost', 2, 19.5]);
  log.flush();
  expect(join.isSettled).toBe(true);
  expect(join.finish()).toMatchObject({ expected: 2, excused: 2, lost: 0 });
});

test('a batch is sent before it is large, and a player of many named is found', () => {
  const batches: DeliveryBatch[] = [];
  const join = joinOf(1, 1_000);
  const { log, play } = logInto((batch) => {
    batches.push(batch);
    join.add(batch);
  });
  const named = Array.from({ length: 500 }, (_, i) => 2 * i);
  for (let i = 0; i < 100; i++) {
    play(['expect', `k${i}`, 11, named, 1]);
    for (const player of named) play(['hear', `k${i}`, player, 11.2]);
    play(['hear', `k${i}`, 3, 11.2]);
  }
  expect(batches.length).toBeGreaterThan(1);
  log.flush();
  expect(join.finish()).toMatchObject({ expected: 50_000, delivered: 50_000, lost: 0, unexpected: 100 });
});

test('players who expect and hear nothing have no tally', () => {
  const join = joinOf();
  const { log, play } = logInto((batch) => join.add(batch));
  play(['lost', 1, 12]);
  log.flush();
  expect(join.finish()).toBeNull();
});
