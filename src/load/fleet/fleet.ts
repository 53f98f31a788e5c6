import { type Cause, causeOfRefusals } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import { type CapbenchError, interrupted, stackFailed } from '../../errors.ts';
import { mergeHistograms } from '../../histogram.ts';
import type { Workload } from '../../scenario/workload.ts';
import { describeExit, type NodeProcess } from '../../supervision/process.ts';
import { settlesWithin } from '../../supervision/time-limit.ts';
import type { Micros } from '../../units.ts';
import type { ConnectFacts, Ledger, LoadSecond, ReadyFleet, Tally } from '../engine.ts';
import { SequenceLedger } from '../ledger.ts';
import {
  type Answer,
  isReport,
  type Order,
  type Report,
  type WorkerSetup,
  type WorkerTally,
} from './messages.ts';
import { Seconds } from './seconds.ts';
import { mergeTallies, sumOf } from './tally.ts';

/** Above this share of players that cannot connect, the fleet does not get READY. */
const TOLERATED_FAILURES = 0.01;
/** To connect everybody takes players / rate; so much longer is waited before giving up. */
const CONNECT_SPARE_MS = 60_000;
const TICK_MS = 100;
/** A worker ends by itself when told to; so long, then it is made to. */
const LEAVE_MS = 3_000;

/** To a worker that threw. */
const BROKEN_HINT = 'This is a bug in capbench: please report it with the bundle.';

/** Where nobody says why. */
const CONNECT_HINT =
  'See whether the world servers still run (their logs are in the bundle); a lower --scale, or fewer connects a second (load.connectsPerSecond), is kinder to them.';

interface FleetPlan {
  readonly workload: Workload;
  readonly setups: readonly WorkerSetup[];
  start(name: string): Promise<NodeProcess>;
  /** Told while the players connect. */
  readonly onConnecting: (connected: number, failed: number) => void;
  /** Called once, when every worker is gone. */
  readonly onClosed: () => Promise<void>;
}

/** A worker that is at work answers in milliseconds. */
const LONGEST_ANSWER_MS = 10_000;
/** A worker says each second that it is alive. */
const ALIVE_MS = 1_000;
const MOST_SILENT_TICKS = 10;

type Question = Extract<Order, { readonly ask: number }>;
/** A question without its number. */
type Asked = {
  [K in Question['kind']]: Omit<Extract<Question, { readonly kind: K }>, 'ask'>;
}[Question['kind']];

/** Where the fleet cannot get READY: so long is waited for how many there will be, and whether it is always the same. */
const SETTLE_MS = 400;

/** Of the players that connect: how many did, could not, and why the first of them could not. */
interface Progress {
  connected: number;
  failed: number;
  refusal: Cause | null;
}

/** What the fleet knows of one worker, by its last word. */
type WorkerState =
  | Extract<Report, { readonly kind: 'connecting' | 'ready' }>
  | { readonly kind: 'done'; readonly facts: ConnectFacts; readonly tally: WorkerTally };

/**
 * The processes of the native engine: deals them their players, gets them READY, starts them all at one instant,
 * and merges what they report.
 *
 *   connecting -> ready -> running -> done;  closed from any of them
 */
export class Fleet implements ReadyFleet {
  readonly go = null;
  readonly logs: ReadonlyMap<string, string>;
  readonly workerPids: readonly number[];
  private readonly plan: FleetPlan;
  private readonly processes: readonly NodeProcess[];
  private readonly workers: WorkerState[];
  /** What the workers were asked and have not answered yet, by the number of the question. */
  private readonly asked = new Map<number, (answer: Answer) => void>();
  private lastAsked = 0;
  private seconds: Seconds | null = null;
  private running = false;
  /**
   * By worker, how often the timer has gone off since it said something. Turns and no time: where this process stood still
   * itself, what was said meanwhile is heard first.
   */
  private readonly silentTicks: number[];
  private readonly silence: NodeJS.Timeout;
  private closing: Promise<void> | null = null;
  /** Rejects when a worker died or broke, in whatever phase, and when the fleet is closed. */
  private readonly trouble: Promise<never>;
  private troubled: (error: Error) => void = () => {};
  private changed: () => void = () => {};

  private constructor(plan: FleetPlan, processes: readonly NodeProcess[]) {
    this.plan = plan;
    this.processes = processes;
    this.workerPids = processes.map(({ pid }) => pid);
    // Only a user's own module has something to say there.
    this.logs = new Map(this.suspicion === '' ? [] : processes.map(({ name, log }) => [name, log] as const));
    this.workers = processes.map(() => ({ kind: 'connecting', connected: 0, failed: 0, refusal: null }));
    this.trouble = new Promise((_resolve, reject) => {
      this.troubled = reject;
    });
    // Between two phases nobody listens; the next one will.
    this.trouble.catch(() => {});
    this.silentTicks = processes.map(() => 0);
    this.silence = setInterval(() => this.countSilence(), ALIVE_MS);
    for (const [worker, child] of processes.entries()) {
      child.onMessage((message) => {
        if (isReport(message)) this.hear(worker, message);
      });
      void child.exited.then((exit) => {
        if (this.closing !== null) return;
        this.troubled(
          stackFailed(
            `load worker ${worker} (process ${child.pid}) ended during the run: ${describeExit(exit)}`,
            `${this.suspicion}see whether the system ran out of memory, or raise --workers so that each holds fewer players. ${child.tail(3)}`.trim(),
          ),
        );
      });
    }
  }

  /**
   * Starts the processes and connects every player.
   * @throws CapbenchError 93 when too many players cannot connect or it takes too long, 105 when aborted
   */
  static async open(plan: FleetPlan, signal: AbortSignal): Promise<Fleet> {
    const starting = plan.setups.map((setup) => plan.start(`fleet-${setup.worker}`));
    const processes: NodeProcess[] = [];
    let refusal: unknown;
    for (const outcome of await Promise.allSettled(starting)) {
      if (outcome.status === 'fulfilled') processes.push(outcome.value);
      else refusal = outcome.reason;
    }
    const fleet = new Fleet(plan, processes);
    try {
      if (refusal !== undefined) throw refusal;
      for (const [worker, setup] of plan.setups.entries()) fleet.send(worker, { kind: 'setup', setup });
      await fleet.connected(signal);
    } catch (thrown) {
      await fleet.close();
      throw thrown;
    }
    return fleet;
  }

  get connect(): ConnectFacts {
    const facts = this.workers.flatMap((worker) => (worker.kind === 'connecting' ? [] : [worker.facts]));
    return {
      ...sumOf(['connected', 'failed'], facts),
      errors: [...new Set(facts.flatMap(({ errors }) => errors))].slice(0, 5),
      connect: mergeHistograms(facts.map(({ connect }) => connect)),
    };
  }

  async run(go: Micros, onSecond: (second: LoadSecond) => void): Promise<Tally> {
    const seconds = new Seconds(this.workers.length, this.plan.workload.operations, onSecond);
    this.seconds = seconds;
    const done = new Promise<void>((resolve) => {
      this.changed = () => {
        if (this.workers.every(({ kind }) => kind === 'done')) resolve();
      };
    });
    const clock = setInterval(() => seconds.tick(monotonic() - go), TICK_MS);
    this.running = true;
    try {
      this.sendAll({ kind: 'go', go });
      await Promise.race([done, this.trouble]);
    } finally {
      this.running = false;
      clearInterval(clock);
    }
    const tallies = this.workers.flatMap((worker) => (worker.kind === 'done' ? [worker.tally] : []));
    return mergeTallies(tallies, this.plan.workload);
  }

  async drop(sharePercent: number, seed: number, stage?: number): Promise<number> {
    if (!this.running) return 0;
    const answers = await this.askAll({ kind: 'drop', sharePercent, seed, stage: stage ?? null });
    return answers.reduce((sum, answer) => sum + (answer.kind === 'dropped' ? answer.players : 0), 0);
  }

  async ledger(): Promise<Ledger> {
    const ledger = new SequenceLedger(this.plan.workload.entities);
    for (const answer of await this.askAll({ kind: 'tellLedger' })) {
      if (answer.kind === 'ledger') ledger.add(answer.ledger);
    }
    return ledger.toData();
  }

  stop(): void {
    this.sendAll({ kind: 'stop' });
  }

  close(): Promise<void> {
    this.closing ??= this.leave();
    return this.closing;
  }

  private async leave(): Promise<void> {
    clearInterval(this.silence);
    this.troubled(interrupted('the load was closed before its run had ended'));
    this.sendAll({ kind: 'close' });
    await Promise.all(
      this.processes.map(async (child) => {
        await settlesWithin(child.exited, LEAVE_MS);
        await child.stop();
      }),
    );
    await this.plan.onClosed();
  }

  /** Whom a process that ends or stands still makes think of. */
  private get suspicion(): string {
    const module = this.plan.setups[0]?.module ?? null;
    return module === null
      ? ''
      : `The player module ${module.name} runs in that process: look there first, and `;
  }

  private countSilence(): void {
    for (const worker of this.silentTicks.keys()) {
      this.silentTicks[worker]! += 1;
      if (this.silentTicks[worker] !== MOST_SILENT_TICKS) continue;
      const seconds = (MOST_SILENT_TICKS * ALIVE_MS) / 1e3;
      this.troubled(
        stackFailed(
          `load worker ${worker} (process ${this.workerPids[worker]}) has said nothing for ${seconds} s: it stands still, or its event loop is blocked`,
          `${this.suspicion || 'It was stopped, or the machine is overloaded: '}run it again.`,
        ),
      );
    }
  }

  private send(worker: number, order: Order): void {
    this.processes[worker]?.send(order);
  }

  /** @throws CapbenchError (93) when the worker does not answer in time */
  private async ask(worker: number, question: Asked): Promise<Answer> {
    const ask = ++this.lastAsked;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.asked.set(ask, resolve);
        timer = setTimeout(() => reject(unanswered(worker, question)), LONGEST_ANSWER_MS).unref();
        this.send(worker, { ...question, ask });
      });
    } finally {
      clearTimeout(timer);
      this.asked.delete(ask);
    }
  }

  private askAll(question: Asked): Promise<Answer[]> {
    const answers = Promise.all(this.processes.map((_, worker) => this.ask(worker, question)));
    // Whoever closes the fleet, or has lost a worker, waits for no answer.
    return Promise.race([answers, this.trouble]);
  }

  private sendAll(order: Order): void {
    for (const worker of this.processes.keys()) this.send(worker, order);
  }

  /** Resolves when every worker is ready. */
  private async connected(signal: AbortSignal): Promise<void> {
    const { players, connectsPerSecond } = this.plan.workload;
    const limit = CONNECT_SPARE_MS + (players / connectsPerSecond) * 1e3;
    let onAbort = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    let settling: NodeJS.Timeout | undefined;
    const ready = new Promise<void>((resolve, reject) => {
      this.changed = () => {
        const { connected, failed } = this.progress();
        this.plan.onConnecting(connected, failed);
        if (failed > players * TOLERATED_FAILURES) {
          settling ??= setTimeout(() => reject(cannotConnect(players, this.progress())), SETTLE_MS);
        } else if (this.workers.every(({ kind }) => kind === 'ready')) resolve();
      };
      timer = setTimeout(() => {
        reject(notConnected(players, limit, this.progress()));
      }, limit);
      onAbort = () => reject(interrupted('stopped while the players connected'));
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
    try {
      await Promise.race([ready, this.trouble]);
    } finally {
      clearTimeout(timer);
      clearTimeout(settling);
      signal.removeEventListener('abort', onAbort);
    }
  }

  private progress(): Progress {
    const total: Progress = { connected: 0, failed: 0, refusal: null };
    for (const worker of this.workers) {
      const { connected, failed } = worker.kind === 'connecting' ? worker : worker.facts;
      total.connected += connected;
      total.failed += failed;
      if (worker.kind !== 'done') total.refusal ??= worker.refusal;
    }
    return total;
  }

  private hear(worker: number, report: Report): void {
    const { kind } = report;
    this.silentTicks[worker] = 0;
    if (kind === 'alive') return;
    if (kind === 'second') {
      this.seconds?.add(worker, report.report);
    } else if (kind === 'dropped' || kind === 'ledger') {
      this.asked.get(report.ask)?.(report);
    } else if (kind === 'refused') {
      const hint = this.suspicion ? `${this.suspicion}run it again.` : (report.hint ?? CONNECT_HINT);
      this.troubled(stackFailed(report.message, hint));
    } else if (kind === 'broken') {
      this.troubled(stackFailed(`load worker ${worker} broke: ${report.message}`, BROKEN_HINT));
    } else if (kind === 'connecting' || kind === 'ready') {
      this.workers[worker] = report;
      this.changed();
    } else {
      const before = this.workers[worker];
      if (before === undefined || before.kind === 'connecting') return;
      this.workers[worker] = { kind, facts: before.facts, tally: report.tally };
      this.seconds?.done(worker);
      this.changed();
    }
  }
}

const WHAT: Readonly<Record<Question['kind'], string>> = {
  drop: 'was told to drop connections',
  tellLedger: 'was asked for what it has sent',
};

const unanswered = (worker: number, { kind }: Asked): Error =>
  stackFailed(
    `load worker ${worker} ${WHAT[kind]} and did not answer within ${LONGEST_ANSWER_MS / 1e3} s`,
    'It was stopped, or is stuck: see whether the machine is overloaded, and run again.',
  );

const withCause = (what: string, refusal: Cause | null): CapbenchError =>
  refusal === null
    ? stackFailed(what, CONNECT_HINT)
    : stackFailed(`${what}: ${refusal.what}`, refusal.hint ?? CONNECT_HINT);

/** More players could not connect than are tolerated. */
const cannotConnect = (players: number, { connected, failed, refusal }: Progress): CapbenchError =>
  withCause(
    `${failed} of ${players} players could not connect`,
    refusal && causeOfRefusals(refusal, connected),
  );

/** It takes too long. */
const notConnected = (players: number, limitMs: number, { connected, refusal }: Progress): CapbenchError =>
  withCause(
    `${players - connected} of ${players} players are not connected after ${Math.round(limitMs / 1e3)} s`,
    refusal,
  );
