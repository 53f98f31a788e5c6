import { describe, expect, test, vi } from 'vitest';
import { K6Account } from '../../../src/load/k6/account.ts';
import { bucketEnds, GROUPS } from '../../../src/load/k6/buckets.ts';
import {
  bucketsOf,
  CONNECT,
  COUNT_KINDS,
  type CountKind,
  counterOf,
  GO,
  sentRateOf,
  TIMED_KINDS,
  TOTAL_KINDS,
  type TotalKind,
  TREND_KINDS,
  totalOf,
  trendOf,
  withinRateOf,
} from '../../../src/load/k6/metrics.ts';
import { userReportIn } from '../../../src/load/k6/user-report.ts';
import { ofOperation } from '../../../src/scenario/operations.ts';
import { OPERATIONS } from '../../../src/systems/flux/scenario.ts';
import { minimal, read, shipped } from '../../scenario/scenario-text.ts';
import { FakeMetric, fakes, partsOf, scriptOf as scenarioScript } from './script-parts.ts';

const scriptOf = (text: string, overrides = {}): string => scenarioScript(read(text, overrides));

interface Options {
  options: { scenarios: Record<string, { vus: number }>; thresholds: Record<string, string[]> };
}
const optionsOf = (source: string): Options['options'] => partsOf<Options>(source, fakes()).options;
/** The thresholds with a condition; those without one only make k6 keep the buckets of latencies. */
const thresholdsOf = (source: string) =>
  Object.fromEntries(
    Object.entries(optionsOf(source).thresholds).filter(([, conditions]) => conditions.length > 0),
  );

describe('the script', () => {
  test('is self-contained: it imports only k6', () => {
    const source = scriptOf(shipped('quickstart'));
    const imported = [...source.matchAll(/(?:from|import\(|require\()\s*["']([^"']+)["']/g)].map(
      ([, name]) => name,
    );
    expect([...new Set(imported)].sort()).toEqual(['k6/execution', 'k6/http', 'k6/metrics', 'k6/websockets']);
    expect(source).not.toMatch(/https:\/\//);
  });

  test('counts and times under the names that capbench reads', () => {
    FakeMetric.all.clear();
    optionsOf(scriptOf(shipped('quickstart')));
    const names = [...FakeMetric.all.keys()];
    const groupsOf = (trend: string): string[] =>
      Array.from({ length: GROUPS }, (_, group) => bucketsOf(trend, group));
    const expected = [
      ...[CONNECT, ...groupsOf(CONNECT), GO, ...TOTAL_KINDS.map(totalOf)],
      ...OPERATIONS.flatMap(({ id: operation }) => [
        ...COUNT_KINDS.flatMap((kind) => [counterOf(operation, kind), counterOf(operation, kind, true)]),
        ...TREND_KINDS.map((kind) => trendOf(operation, kind)),
        ...TIMED_KINDS.flatMap((kind) => groupsOf(trendOf(operation, kind))),
        sentRateOf(operation),
      ]),
      withinRateOf('intent-p95'),
    ];
    expect(names).toEqual(expect.arrayContaining(expected));
  });

  test('has a virtual user for each block of players and for each lane of monsters', () => {
    const vus = (text: string): (readonly [string, number])[] =>
      Object.entries(optionsOf(scriptOf(text)).scenarios).map(([name, scenario]) => [name, scenario.vus]);
    expect(vus(shipped('quickstart'))).toEqual([
      ['players', 40],
      ['monsters', 8],
    ]);
    expect(vus(minimal('  intentsPerSecond: 10\n  monsters: 0\n  monsterCommandsPerSecond: 0\n'))).toEqual([
      ['players', 34],
    ]);
  });

  test('has thresholds for the budgets that k6 can see, and names the others', () => {
    const source = scriptOf(shipped('quickstart'));
    expect(thresholdsOf(source)).toEqual({
      capbench_connected: ['count>=1000'],
      capbench_intent_sent: ['rate>=0.99'],
      capbench_monster_command_sent: ['rate>=0.99'],
      capbench_intent_due: ['p(95)<500', 'p(99)<1000'],
      capbench_within_intent_p95: ['rate>=0.95'],
      capbench_within_intent_p99: ['rate>=0.99'],
      capbench_monster_command_due: ['p(95)<1000'],
      capbench_within_command_p95: ['rate>=0.95'],
      capbench_disconnects: ['count==0'],
      capbench_intent_scheduled: ['count>0'],
      capbench_monster_command_scheduled: ['count>0'],
    });
    const buckets = Object.values(optionsOf(source).thresholds).filter(
      (conditions) => conditions.length === 0,
    );
    expect(buckets).toHaveLength(bucketEnds().length * (1 + 2 * TIMED_KINDS.length));
    expect(source).toContain('//   nothing-lost (writes lost): the load generator cannot see it');
    expect(source).toContain("'p(95)<500', // intent-p95: intent latency");
  });

  test('limits in seconds become milliseconds, and a claim for the full load does not apply to another', () => {
    const budgets = `budgets:
  - { id: slow, metric: latency.intent.service, stat: p999, op: <=, limit: 2, unit: s }
  - { id: all, metric: load.peakCcu, op: '>=', limit: 100, unit: players, fullLoad: true }
`;
    const text = minimal(`  intentsPerSecond: 10\n${budgets}`);
    expect(thresholdsOf(scriptOf(text))).toMatchObject({
      capbench_intent_service: ['p(99.9)<=2000'],
      capbench_connected: ['count>=100'],
    });
    const half = scriptOf(text, { scale: 0.5 });
    expect(optionsOf(half).thresholds).not.toHaveProperty('capbench_connected');
    expect(half).toContain('it applies to the full load');
  });

  test('texts of a scenario are never code', () => {
    const title = ["it's `$", '{1}` \\ */'].join('');
    const source = scriptOf(
      minimal(
        `  intentsPerSecond: 10\nbudgets:\n  - { id: odd, title: ${JSON.stringify(title)}, metric: network.disconnects, op: '=', limit: 0, unit: connections }\n`,
      ),
    );
    expect(optionsOf(source).thresholds).toMatchObject({ capbench_disconnects: ['count==0'] });
  });
});

interface Data {
  readonly go: number;
  readonly connectFrom: number;
  readonly run: string;
  readonly worlds: readonly unknown[];
}

/** A simulated world server behind a player's socket: it sends a welcome, and answers as the test says. */
class FakeSocket {
  static answer: (seq: number, socket: FakeSocket) => void = () => undefined;
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  onerror = null;

  constructor() {
    setTimeout(() => {
      this.onopen?.();
      this.tell({ welcome: { player: 0, place: 3, exits: ['north'], present: [], lastSeq: 10 } });
    }, 5);
  }

  /** The last text that the player sent. */
  received = '';

  tell(frame: unknown): void {
    this.raw(JSON.stringify(frame));
  }

  raw(data: string): void {
    this.onmessage?.({ data });
  }

  send(frame: string): void {
    const { seq, text } = JSON.parse(frame) as { seq: number; text: string };
    this.received = text;
    FakeSocket.answer(seq, this);
  }

  end(): void {
    this.readyState = 3;
    this.onclose?.({ code: 1006 });
  }

  close(): void {
    if (this.readyState < 2) this.end();
  }
}

interface Life {
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds by which a timer is late. */
  readonly late?: number;
  readonly players?: number;
  /** The number of the virtual user. */
  readonly user?: number;
}

/** The whole life of a virtual user with players, on a simulated clock. */
function live(answer: typeof FakeSocket.answer, { env = {}, late = 0, players = 1, user = 0 }: Life = {}) {
  vi.useFakeTimers({ now: 1_000_000 });
  try {
    FakeMetric.all.clear();
    FakeSocket.answer = answer;
    const text = minimal(
      [
        ...[
          `intentsPerSecond: ${20 * players}`,
          'ramp: 1s',
          'warmUp: 1s',
          'duration: 4s',
          'drain: 2s',
          'timeout: 500ms',
        ],
        ...['skipAfter: 300ms', 'outstanding: 2', 'monsters: 0', 'monsterCommandsPerSecond: 0'],
      ]
        .map((line) => `  ${line}\n`)
        .concat('world:\n  servers: 1\n')
        .join(''),
    ).replace('players: 100', `players: ${players}`);
    const printed: string[] = [];
    const script = partsOf<{ players: (data: Data) => void }>(
      scriptOf(text),
      fakes(env, {
        exec: { scenario: { iterationInTest: user } },
        socket: FakeSocket,
        print: (line) => printed.push(line),
      }),
    );
    const go = Date.now() + 1000;
    script.players({
      go,
      connectFrom: Date.now() + late,
      run: 'k6',
      worlds: [{ url: 'http://x', players: { from: 0, to: players } }],
    });
    vi.advanceTimersByTime(20_000 + late);
    const reports = printed.map((line) => userReportIn(line));
    const sum = (name: string): number =>
      (FakeMetric.all.get(name)?.values ?? []).reduce<number>((total, value) => total + value, 0);
    // Under capbench the counts are in the reports, otherwise in the metrics.
    const account = new K6Account(OPERATIONS);
    for (const report of reports) if (report !== null) account.add(report);
    const tally = ofOperation(account.tallies(), 'intent');
    const count = (kind: CountKind): number => sum(counterOf('intent', kind)) + tally.measured[kind];
    const whole = (kind: CountKind): number =>
      count(kind) + sum(counterOf('intent', kind, true)) + tally.whole[kind] - tally.measured[kind];
    const total = (kind: TotalKind): number => sum(totalOf(kind)) + account.totals[kind];
    const values = (name: string): readonly unknown[] => FakeMetric.all.get(name)?.values ?? [];
    return { count, whole, total, values, tally, ledgers: account.ledgers, timers: vi.getTimerCount() };
  } finally {
    vi.useRealTimers();
  }
}

const conserved = ({ count, whole }: ReturnType<typeof live>): void => {
  for (const of of [count, whole]) {
    const settled = COUNT_KINDS.slice(1, -1).reduce((total, kind) => total + of(kind), 0);
    expect(settled).toBe(of('scheduled'));
  }
  expect(count('scheduled')).toBeGreaterThanOrEqual(79);
  expect(count('scheduled')).toBeLessThanOrEqual(81);
};

describe('a player of the script', () => {
  const later = (ms: number) => (seq: number, socket: FakeSocket) =>
    void setTimeout(() => socket.tell({ acks: [{ seq, ok: seq % 2 === 0, place: 4 }] }), ms);

  test('with answers: latency from due, ok and rejected counted separately, nothing left running', () => {
    const life = live(later(30));
    conserved(life);
    expect(life.count('ok') + life.count('rejected')).toBe(life.count('scheduled'));
    expect(life.count('rejected')).toBeGreaterThan(30);
    expect(life.values(trendOf('intent', 'service'))).toEqual(
      Array.from({ length: life.count('scheduled') }, () => 30),
    );
    expect(life.values(sentRateOf('intent'))).toHaveLength(life.count('scheduled'));
    expect(life.total('connected')).toBe(1);
    expect(life.total('left')).toBe(1);
    expect(life.total('disconnects')).toBe(0);
    expect(life.timers).toBe(0);
  });

  test('that waits for free slots: latency counts from due, and late operations are skipped', () => {
    const life = live(later(400));
    conserved(life);
    expect(life.count('skipped')).toBeGreaterThan(30);
    expect(life.count('ok') + life.count('rejected')).toBeGreaterThan(10);
    const due = life.values(trendOf('intent', 'due')) as number[];
    const lag = life.values(trendOf('intent', 'lag')) as number[];
    expect(Math.max(...lag)).toBeGreaterThan(200);
    expect(due).toEqual(lag.map((ms) => ms + 400));
    // The player waited for the server, which is not the generator's own lag.
    expect(Math.max(...(life.values(trendOf('intent', 'ownLag')) as number[]))).toBeLessThanOrEqual(1);
  });

  test('without answers: timed out, then skipped, unfinished at the end of the drain', () => {
    const life = live(() => undefined);
    conserved(life);
    expect(life.count('ok')).toBe(0);
    expect(life.count('timedOut')).toBeGreaterThan(5);
    expect(life.count('skipped')).toBeGreaterThan(40);
    expect(life.values(withinRateOf('none'))).toEqual([]);
  });

  test('with answers after the timeout has them in its ledger, and counts them as timed out', () => {
    const life = live(later(700), { env: { CAPBENCH_REPORTS: '1' } });
    conserved(life);
    expect(life.count('ok') + life.count('rejected')).toBe(0);
    const [row] = life.ledgers[0]?.ledger ?? [];
    const sent = life.whole('timedOut') + life.whole('unfinished');
    expect(row?.slice(0, 3)).toEqual([0, 10, 10 + sent]);
    expect(row?.[3]).toBe(5);
    // A timed-out operation does not delay the end.
    expect(row?.[4]).toBeGreaterThanOrEqual(10 + sent - 2);
    expect(row?.[4]).toBeLessThanOrEqual(10 + sent);
    expect(row).toHaveLength(5);
  });

  test('whose connection ends fails from then on', () => {
    let answered = 0;
    const life = live((seq, socket) => {
      if (++answered === 50) socket.end();
      else socket.tell({ acks: [{ seq, ok: true }] });
    });
    conserved(life);
    expect(life.whole('ok')).toBe(49);
    expect(life.count('failed')).toBeGreaterThan(40);
    // All but those in flight.
    expect(life.whole('failed') - life.whole('failedUnsent')).toBeLessThanOrEqual(2);
    expect(life.whole('failedUnsent')).toBeGreaterThan(40);
    expect(life.total('disconnects')).toBe(1);
    expect(life.total('left')).toBe(0);
  });

  test('that starts only after the end has skipped what it did not send', () => {
    const life = live(later(30), { late: 60_000 });
    conserved(life);
    expect(life.whole('skipped')).toBe(life.whole('scheduled'));
    expect(life.total('left')).toBe(0);
  });

  test('shares a virtual user with others: each has its own schedule, socket and row in the ledger', () => {
    const life = live(later(30), { env: { CAPBENCH_REPORTS: '1' }, players: 79, user: 39 });
    expect(life.ledgers.map(({ ledger }) => ledger.map(([id]) => id))).toEqual([[78]]);
    const two = live(later(30), { env: { CAPBENCH_REPORTS: '1' }, players: 79, user: 3 });
    const rows = two.ledgers.flatMap(({ ledger }) => ledger);
    expect(rows.map(([id]) => id).sort()).toEqual([6, 7]);
    expect(two.total('connected')).toBe(2);
    expect(two.total('left')).toBe(2);
    const acked = rows.reduce((sum, row) => sum + (row[4] ?? 0) - (row[1] ?? 0), 0);
    expect(two.whole('ok') + two.whole('rejected')).toBe(two.whole('scheduled'));
    expect(acked).toBe(two.whole('scheduled'));
    expect(two.timers).toBe(0);
  });

  test('knows who is present from the events that it received', () => {
    const sent: string[] = [];
    const life = live((seq, socket) => {
      socket.tell({ events: [{ actor: seq % 2 === 0 ? 7 : 8, did: 'arrived' }] });
      if (seq % 2 === 1) socket.tell({ events: [{ actor: 8, did: 'left' }] });
      socket.tell({ acks: [{ seq, ok: true }] });
      sent.push(socket.received);
    });
    conserved(life);
    const attacks = sent.filter((text) => text.startsWith('attack'));
    expect(attacks.length).toBeGreaterThan(3);
    // Player 8 has always left again, and then no other player is known to be present.
    expect(new Set(attacks)).toEqual(new Set(['attack 7']));
  });

  test.each(['{"events":[{"actor":', '{"events":5}'])(
    'that receives garbage about others (%s) gives up the connection',
    (frame) => {
      const life = live((seq, socket) => {
        socket.raw(frame);
        socket.tell({ acks: [{ seq, ok: true }] });
      });
      conserved(life);
      expect(life.total('stray')).toBe(1);
      expect(life.total('disconnects')).toBe(1);
      expect(life.whole('failed')).toBeGreaterThan(0);
    },
  );

  test('that receives an invalid frame closes the connection', () => {
    const life = live((_seq, socket) => socket.tell('nonsense'));
    conserved(life);
    expect(life.whole('failed')).toBe(life.whole('scheduled'));
    expect(life.total('stray')).toBe(1);
  });
});
