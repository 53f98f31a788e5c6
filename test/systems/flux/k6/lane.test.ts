import { describe, expect, test, vi } from 'vitest';
import { K6Account } from '../../../../src/load/k6/account.ts';
import { ledgerOf } from '../../../../src/load/k6/ledger-of.ts';
import type { CountKind } from '../../../../src/load/k6/metrics.ts';
import { userReportIn } from '../../../../src/load/k6/user-report.ts';
import { ofOperation } from '../../../../src/scenario/operations.ts';
import { OPERATIONS } from '../../../../src/systems/flux/scenario.ts';
import { fakes, partsOf, scriptOf } from '../../../load/k6/script-parts.ts';
import { figuresOf } from '../../../load/ledger-figures.ts';
import { minimal, read } from '../../../scenario/scenario-text.ts';

const PLAYERS = 100;
const MONSTERS = 40;
const USED_BEFORE = 5;

type Command = readonly [id: number, seq: number, text: string];

/** Two simulated world servers: they keep what arrives, and answer each post as the test says. */
class Worlds {
  readonly arrived: { readonly post: number; readonly status: number; readonly commands: Command[] }[] = [];
  private readonly lines = new Map<string, (frame: unknown) => void>();
  private readonly answer: (post: number) => number;

  constructor(answer: (post: number) => number) {
    this.answer = answer;
  }

  open(host: string, tell: (frame: unknown) => void): void {
    this.lines.set(host, tell);
    tell({ welcome: { lastSeq: new Array(MONSTERS / 2).fill(USED_BEFORE) } });
  }

  asyncRequest = (_method: string, url: string, body: string) => ({
    // biome-ignore lint/suspicious/noThenProperty: k6's promise, as far as the script uses it
    then: (done: (response: { status: number; body: string }) => void) => {
      const { host, searchParams } = new URL(url);
      const post = Number(searchParams.get('post'));
      const status = this.answer(post);
      const commands = JSON.parse(body) as Command[];
      this.arrived.push({ post, status, commands });
      setTimeout(() => done({ status, body: '' }), 2);
      if (status !== 202) return;
      setTimeout(() => this.lines.get(host)?.({ commits: [[post, commands.length, 0]] }), 8);
    },
  });
}

/** The whole life of one of several lanes, on a simulated clock. */
function live(worlds: Worlds) {
  vi.useFakeTimers({ now: 1_000_000 });
  try {
    const scenario = read(
      minimal(
        [
          ...['ramp: 1s', 'warmUp: 1s', 'duration: 4s', 'drain: 2s', 'intentsPerSecond: 10'],
          ...[`monsters: ${MONSTERS}`, 'monsterCommandsPerSecond: 800', 'commandsPerPost: 10'],
        ]
          .map((line) => `  ${line}\n`)
          .join(''),
      ),
    );
    class CommandConnection {
      readyState = 1;
      onopen: (() => void) | null = null;
      onmessage: ((message: { data: string }) => void) | null = null;

      constructor(url: string) {
        const tell = (frame: unknown) => this.onmessage?.({ data: JSON.stringify(frame) });
        setTimeout(() => {
          this.onopen?.();
          worlds.open(new URL(url).host, tell);
        }, 5);
      }

      close(): void {
        this.readyState = 3;
      }
    }
    const printed: string[] = [];
    const { lane } = partsOf<{ lane: (data: unknown) => void }>(
      scriptOf(scenario),
      fakes(
        { CAPBENCH_REPORTS: '1' },
        {
          exec: { scenario: { iterationInTest: 3 } },
          socket: CommandConnection,
          http: worlds,
          print: (line) => printed.push(line),
        },
      ),
    );
    const half = MONSTERS / 2;
    lane({
      go: Date.now() + 1000,
      connectFrom: Date.now(),
      run: 'k6',
      worlds: [
        { url: 'http://a', monsters: { from: 0, to: half } },
        { url: 'http://b', monsters: { from: half, to: MONSTERS } },
      ],
    });
    vi.advanceTimersByTime(20_000);
    const account = new K6Account(OPERATIONS);
    for (const report of printed.map(userReportIn)) if (report !== null) account.add(report);
    const tally = ofOperation(account.tallies(), 'monsterCommand');
    const whole = (kind: CountKind): number => tally.whole[kind];
    const ledger = ledgerOf(account.ledgers, PLAYERS + MONSTERS);
    return { whole, ledger, account, timers: vi.getTimerCount() };
  } finally {
    vi.useRealTimers();
  }
}

/** The expected ledger of a monster, from what arrived. */
function arrivedOf(worlds: Worlds, id: number) {
  const of = (statuses: (status: number) => boolean): number[] =>
    worlds.arrived
      .filter(({ status }) => statuses(status))
      .flatMap(({ commands }) => commands.filter(([monster]) => monster === id).map(([, seq]) => seq));
  return { sent: of(() => true), acked: of((status) => status === 202) };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

describe('a lane of the script', () => {
  test.each<readonly [string, (post: number) => number]>([
    ['takes every post', () => 202],
    ['refuses every third post', (post) => (post % 3 === 0 ? 503 : 202)],
    ['refuses the last posts', (post) => (post > 20 ? 503 : 202)],
    ['refuses all', () => 500],
  ])('keeps the ledger of a server that %s', (_name, answer) => {
    const worlds = new Worlds(answer);
    const { whole, ledger, account, timers } = live(worlds);
    expect(worlds.arrived.length).toBeGreaterThan(30);
    expect(account.ledgers).toHaveLength(1);
    for (let id = 0; id < PLAYERS + MONSTERS; id++) {
      const { sent, acked } = arrivedOf(worlds, id);
      // In order and without a gap, from the server's last number on.
      expect(sent).toEqual(sent.map((_, i) => USED_BEFORE + 1 + i));
      const { sentN, sentSum, sentMax, ackedN, ackedSum, ackedMax } = figuresOf(ledger);
      expect([sentN[id], sentSum[id], sentMax[id]]).toEqual([sent.length, sum(sent), sent.at(-1) ?? 0]);
      expect([ackedN[id], ackedSum[id], ackedMax[id]]).toEqual([acked.length, sum(acked), acked.at(-1) ?? 0]);
    }
    const refused = worlds.arrived.filter(({ status }) => status !== 202).length * 10;
    expect(whole('failed')).toBe(refused);
    // The server had them.
    expect(whole('failedUnsent')).toBe(0);
    expect(whole('ok') + whole('failed')).toBe(whole('scheduled'));
    expect(account.totals).toMatchObject({ disconnects: 0, lanesReady: 1 });
    expect(timers).toBe(0);
  });
});
