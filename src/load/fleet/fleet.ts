import { type Cause, causeOfRefusals } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import { type CapbenchError, generatorFailed, interrupted, stackFailed } from '../../errors.ts';
import { mergeHistograms } from '../../histogram.ts';
import { playersAtStart, type Workload } from '../../scenario/workload.ts';
import { describeExit, type NodeProcess } from '../../supervision/process.ts';
import { settlesWithin } from '../../supervision/time-limit.ts';
import type { Micros } from '../../units.ts';
import { Deliveries } from '../deliveries.ts';
import type { AgentFacts, ConnectFacts, Ledger, LoadSecond, ReadyFleet, Tally } from '../engine.ts';
import { ErrorCounts } from '../error-counts.ts';
import { SequenceLedger } from '../ledger.ts';
import { type KernelWatch, watchKernel } from './kernel-traffic.ts';
import {
  type Answer,
  followsDeliveries,
  isReport,
  type Order,
  type Report,
  type WorkerSetup,
  type WorkerTally,
  type WorkerTraffic,
} from './messages.ts';
import { Seconds } from './seconds.ts';
import { mergeTallies, sumOf } from './tally.ts';

/** The run fails if more than this share of players cannot connect. */
const TOLERATED_FAILURES = 0.01;
/** Added to the expected time, players / rate, before connecting fails. */
const CONNECT_GRACE_MS = 60_000;
const TICK_MS = 100;
/** How long a worker may take to end before it is killed. */
const SHUTDOWN_MS = 3_000;

const BROKEN_HINT = 'This is a bug in capbench: please report it, with the bundle.';

/** The process of a load worker, here or at an agent. */
export interface WorkerProcess
  extends Pick<NodeProcess, 'name' | 'pid' | 'log' | 'exited' | 'tail' | 'send' | 'onMessage' | 'stop'> {
  /** `the agent 10.0.0.5:7400`, whose process it is; absent: this host's. */
  readonly owner?: string;
}

/** Another machine on which load workers run (load/agent). */
export interface FleetAgent {
  /** Reads its clock. @throws CapbenchError 93 when it is lost */
  compareClocks(): Promise<void>;
  /** Null before its clock was read. */
  facts(): AgentFacts | null;
}

interface FleetPlan {
  readonly workload: Workload;
  readonly setups: readonly WorkerSetup[];
  start(worker: number): Promise<WorkerProcess>;
  readonly agents: readonly FleetAgent[];
  /** Called while the players connect. */
  readonly onConnecting: (connected: number, failed: number) => void;
  /** Gets the logs of the workers, to which players write, name -> path. */
  readonly logs: Map<string, string>;
  readonly prepareMs: number | null;
  /** For players that could not connect for a reason without advice (load/connect-hint.ts). */
  readonly connectHint: string;
  /** Called once, when every worker has ended. */
  readonly onClosed: () => Promise<void>;
}

const NOT_SEEN = 'the players connect from agents, and the kernel of this host does not see them all';

/** A healthy worker answers within milliseconds. */
const LONGEST_ANSWER_MS = 10_000;
const HEARTBEAT_MS = 1_000;
const MOST_MISSED = 10;
const MOST_CLOSING_ERRORS = 5;

type WorkerRequest = Extract<Order, { readonly ask: number }>;
/** A request without its number. */
type RequestBody = {
  [K in WorkerRequest['kind']]: Omit<Extract<WorkerRequest, { readonly kind: K }>, 'ask'>;
}[WorkerRequest['kind']];

/** After too many failures to connect: how long to collect others, so that the error counts them. */
const SETTLE_MS = 400;

/** Connected and failed players, and the cause of the first failure. */
interface Progress {
  connected: number;
  failed: number;
  refusal: Cause | null;
}

/** The state of one worker, by its last report. */
type WorkerState =
  | Extract<Report, { readonly kind: 'connecting' | 'ready' }>
  | { readonly kind: 'done'; readonly facts: ConnectFacts; readonly tally: WorkerTally };

/**
 * The processes of the native engine: sets them up, waits until they are READY, starts them all at one time, and merges
 * their reports.
 *
 *   connecting -> ready -> running -> done;  closed from any of them
 */
export class Fleet implements ReadyFleet {
  readonly go = null;
  readonly logs: ReadonlyMap<string, string>;
  readonly workerPids: readonly number[];
  readonly prepareMs?: number;
  private readonly plan: FleetPlan;
  private readonly processes: readonly WorkerProcess[];
  private readonly workers: WorkerState[];
  /** Unanswered requests, by number. */
  private readonly pendingRequests = new Map<number, (answer: Answer) => void>();
  private lastRequest = 0;
  private seconds: Seconds | null = null;
  /** Set by `run`; null in a calibration. */
  private kernel: KernelWatch | null = null;
  /** Null without a player module. */
  private readonly deliveries: Deliveries | null;
  private readonly drained = new Set<number>();
  private readonly lateErrors = new ErrorCounts();
  private running = false;
  /**
   * By worker, how often the timer fired since its last report. Counting, instead of measuring time, avoids false alarms:
   * after a pause of this process, the reports that arrived meanwhile are read first.
   */
  private readonly missedHeartbeats: number[];
  private readonly heartbeatTimer: NodeJS.Timeout;
  private closing: Promise<void> | null = null;
  /** Rejects when a worker fails in any phase, and when the fleet is closed. */
  private readonly failure: Promise<never>;
  private fail: (error: Error) => void = () => {};
  private changed: () => void = () => {};

  private constructor(plan: FleetPlan, processes: readonly WorkerProcess[]) {
    this.plan = plan;
    this.processes = processes;
    this.workerPids = processes.map(({ pid }) => pid);
    if (plan.prepareMs !== null) this.prepareMs = plan.prepareMs;
    for (const { name, log } of processes) plan.logs.set(name, log);
    this.logs = plan.logs;
    this.workers = processes.map(() => ({ kind: 'connecting', connected: 0, failed: 0, refusal: null }));
    this.failure = new Promise((_resolve, reject) => {
      this.fail = reject;
    });
    // Between phases nothing awaits it: without this, Node would report an unhandled rejection.
    this.failure.catch(() => {});
    this.missedHeartbeats = processes.map(() => 0);
    this.deliveries = deliveriesOf(plan);
    this.heartbeatTimer = setInterval(() => this.countHeartbeats(), HEARTBEAT_MS);
    for (const [worker, child] of processes.entries()) {
      child.onMessage((message) => {
        if (isReport(message)) this.onReport(worker, message);
      });
      void child.exited.then((exit) => {
        if (this.closing !== null) return;
        this.fail(
          generatorFailed(
            `load worker ${worker} (${processOf(child)}) ended during the run: ${describeExit(exit)}`,
            `${this.moduleHint}check whether the system ran out of memory, or raise --workers so that each holds fewer players. ${child.tail(3)}`.trim(),
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
    const starting = plan.setups.map(({ worker }) => plan.start(worker));
    const processes: WorkerProcess[] = [];
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
      await fleet.compareClocks();
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
      login: mergeHistograms(facts.flatMap(({ login }) => login ?? [])),
      socket: mergeHistograms(facts.flatMap(({ socket }) => socket ?? [])),
    };
  }

  get closingErrors(): readonly string[] {
    return this.lateErrors.top(MOST_CLOSING_ERRORS);
  }

  async run(go: Micros, onSecond: (second: LoadSecond) => void): Promise<Tally> {
    const connected = this.workers.map((worker) =>
      worker.kind === 'connecting' ? worker.connected : worker.facts.connected,
    );
    const seconds = new Seconds(connected, this.plan.workload.operations, onSecond);
    this.seconds = seconds;
    const done = new Promise<void>((resolve) => {
      this.changed = () => {
        if (this.workers.every(({ kind }) => kind === 'done')) resolve();
      };
    });
    const clock = setInterval(() => seconds.tick(monotonic() - go), TICK_MS);
    this.running = true;
    const isHere = this.plan.agents.length === 0;
    if (this.plan.workload.isCalibration !== true && isHere)
      this.kernel = watchKernel(this.plan, go, (each) => this.traffic(each));
    let kernelTraffic: Tally['kernelTraffic'] = isHere ? undefined : { because: NOT_SEEN };
    try {
      this.sendAll({ kind: 'go', go });
      await Promise.race([done, this.failure]);
      if (this.kernel !== null) kernelTraffic = await this.kernel.result();
      await this.compareClocks();
    } finally {
      this.kernel?.close();
      this.running = false;
      clearInterval(clock);
    }
    const tallies = this.workers.flatMap((worker) => (worker.kind === 'done' ? [worker.tally] : []));
    const deliveries = this.deliveries?.finish() ?? null;
    const module = this.plan.setups[0]?.module ?? null;
    const players = module === null ? undefined : `the player module ${module.name}`;
    const agents = this.plan.agents.flatMap((agent) => agent.facts() ?? []);
    return {
      ...mergeTallies(tallies, this.plan.workload, deliveries, players),
      ...(kernelTraffic === undefined ? {} : { kernelTraffic }),
      ...(agents.length === 0 ? {} : { agents }),
    };
  }

  async drop(sharePercent: number, seed: number, stage?: number): Promise<number> {
    if (!this.running) return 0;
    const answers = await this.askAll({ kind: 'drop', sharePercent, seed, stage: stage ?? null });
    return answers.reduce((sum, answer) => sum + (answer.kind === 'dropped' ? answer.players : 0), 0);
  }

  async ledger(): Promise<Ledger> {
    const ledger = new SequenceLedger(this.plan.workload.entities);
    for (const answer of await this.askAll({ kind: 'readLedger' })) {
      if (answer.kind === 'ledger') ledger.add(answer.ledger);
    }
    return ledger.toData();
  }

  stop(): void {
    this.kernel?.end();
    this.sendAll({ kind: 'stop' });
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    clearInterval(this.heartbeatTimer);
    this.fail(interrupted('the load was closed before the run ended'));
    this.sendAll({ kind: 'close' });
    await Promise.all(
      this.processes.map(async (child) => {
        await settlesWithin(child.exited, SHUTDOWN_MS);
        await child.stop();
      }),
    );
    await this.plan.onClosed();
  }

  /** The start of hints when a user's module runs in the workers: it may be the cause. */
  private get moduleHint(): string {
    const module = this.plan.setups[0]?.module ?? null;
    return module === null
      ? ''
      : `The player module ${module.name} runs in that process: check it first, and `;
  }

  /** Before GO, which is translated by what was read, and once the run is over. */
  private async compareClocks(): Promise<void> {
    const comparing = Promise.all(this.plan.agents.map((agent) => agent.compareClocks()));
    await Promise.race([comparing, this.failure]);
  }

  private countHeartbeats(): void {
    for (const worker of this.missedHeartbeats.keys()) {
      this.missedHeartbeats[worker]! += 1;
      if (this.missedHeartbeats[worker] !== MOST_MISSED) continue;
      const seconds = (MOST_MISSED * HEARTBEAT_MS) / 1e3;
      this.fail(
        generatorFailed(
          `load worker ${worker} (${processOf(this.processes[worker]!)}) has not responded for ${seconds} s: it was stopped, or its event loop is blocked`,
          `${this.moduleHint || 'Check whether the machine is overloaded, and '}run again.`,
        ),
      );
    }
  }

  private send(worker: number, order: Order): void {
    this.processes[worker]?.send(order);
  }

  /** @throws CapbenchError (93) when the worker does not answer in time */
  private async ask(worker: number, request: RequestBody): Promise<Answer> {
    const ask = ++this.lastRequest;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.pendingRequests.set(ask, resolve);
        timer = setTimeout(() => reject(unanswered(worker, request)), LONGEST_ANSWER_MS).unref();
        this.send(worker, { ...request, ask });
      });
    } finally {
      clearTimeout(timer);
      this.pendingRequests.delete(ask);
    }
  }

  private askAll(request: RequestBody): Promise<Answer[]> {
    const answers = Promise.all(this.processes.map((_, worker) => this.ask(worker, request)));
    // A failed worker or a closed fleet does not answer.
    return Promise.race([answers, this.failure]);
  }

  private async traffic(each: boolean): Promise<WorkerTraffic[]> {
    const answers = await this.askAll({ kind: 'readTraffic', each });
    return answers.flatMap((answer) => (answer.kind === 'traffic' ? [answer] : []));
  }

  private sendAll(order: Order): void {
    for (const worker of this.processes.keys()) this.send(worker, order);
  }

  /** Resolves when every worker is ready. */
  private async connected(signal: AbortSignal): Promise<void> {
    const { connectsPerSecond } = this.plan.workload;
    const players = playersAtStart(this.plan.workload);
    const limit = CONNECT_GRACE_MS + (players / connectsPerSecond) * 1e3;
    let onAbort = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    let settling: NodeJS.Timeout | undefined;
    const ready = new Promise<void>((resolve, reject) => {
      this.changed = () => {
        const { connected, failed } = this.progress();
        this.plan.onConnecting(connected, failed);
        if (failed > players * TOLERATED_FAILURES) {
          settling ??= setTimeout(
            () => reject(cannotConnect(players, this.progress(), this.plan.connectHint)),
            SETTLE_MS,
          );
        } else if (this.workers.every(({ kind }) => kind === 'ready')) resolve();
      };
      timer = setTimeout(() => {
        reject(notConnected(players, limit, this.progress(), this.plan.connectHint));
      }, limit);
      onAbort = () => reject(interrupted('stopped while the players connected'));
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
    try {
      await Promise.race([ready, this.failure]);
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

  /** Ends the drain when only deliveries were awaited, and none is open any more. */
  private tellSettled(): void {
    if (this.drained.size < this.workers.length || this.deliveries?.isSettled !== true) return;
    this.drained.clear();
    this.sendAll({ kind: 'settled' });
  }

  private onReport(worker: number, report: Report): void {
    const { kind } = report;
    this.missedHeartbeats[worker] = 0;
    if (kind === 'heartbeat' || kind === 'prepared') return;
    if (kind === 'second') {
      this.seconds?.add(worker, report.report);
      this.deliveries?.upTo(worker, report.report.at);
      this.tellSettled();
    } else if (kind === 'deliveries') {
      this.deliveries?.add(report.batch);
      this.tellSettled();
    } else if (kind === 'drained') {
      this.drained.add(worker);
      this.tellSettled();
    } else if (kind === 'dropped' || kind === 'ledger' || kind === 'traffic') {
      this.pendingRequests.get(report.ask)?.(report);
    } else if (kind === 'closed') {
      this.lateErrors.addAll(report.errors);
    } else if (kind === 'refused' && this.closing !== null) {
      this.lateErrors.add(report.message);
    } else if (kind === 'refused') {
      const { moduleHint, plan } = this;
      const hint = report.hint ?? (moduleHint ? `${moduleHint}run again.` : plan.connectHint);
      this.fail((report.of === 'generator' ? generatorFailed : stackFailed)(report.message, hint));
    } else if (kind === 'crashed') {
      this.fail(generatorFailed(`load worker ${worker} crashed: ${report.message}`, BROKEN_HINT));
    } else if (kind === 'connecting' || kind === 'ready') {
      this.workers[worker] = report;
      this.changed();
    } else {
      const before = this.workers[worker];
      if (before === undefined || before.kind === 'connecting') return;
      this.workers[worker] = { kind, facts: before.facts, tally: report.tally };
      this.deliveries?.upTo(worker, Number.POSITIVE_INFINITY);
      this.seconds?.done(worker);
      this.changed();
    }
  }
}

const processOf = ({ pid, owner }: WorkerProcess): string =>
  owner === undefined ? `process ${pid}` : `process ${pid} of ${owner}`;

/** Where players may tell of deliveries. */
function deliveriesOf({ workload, setups }: FleetPlan): Deliveries | null {
  const [setup] = setups;
  if (setup === undefined || !followsDeliveries(setup)) return null;
  const { players, timeout, timeline } = workload;
  const phase = { from: timeline.measureStart, to: timeline.end };
  return new Deliveries({ players, timeout, workers: setups.length, ...phase });
}

const WHAT: Readonly<Record<WorkerRequest['kind'], string>> = {
  drop: 'was asked to drop connections',
  readLedger: 'was asked for its ledger',
  readTraffic: 'was asked for the bytes of its connections',
};

const unanswered = (worker: number, { kind }: RequestBody): Error =>
  generatorFailed(
    `load worker ${worker} ${WHAT[kind]} and did not answer within ${LONGEST_ANSWER_MS / 1e3} s`,
    'Check whether it was stopped or the machine is overloaded, and run again.',
  );

const withCause = (what: string, refusal: Cause | null, hint: string): CapbenchError =>
  refusal === null ? stackFailed(what, hint) : stackFailed(`${what}: ${refusal.what}`, refusal.hint ?? hint);

const cannotConnect = (
  players: number,
  { connected, failed, refusal }: Progress,
  hint: string,
): CapbenchError => {
  const open = players - connected - failed;
  // Who was not refused yet may be refused, too.
  const rest = open > 0 ? ` (${connected} are connected; ${open} were still waiting)` : '';
  return withCause(
    `${failed} of ${players} players could not connect${rest}`,
    refusal && causeOfRefusals(refusal, connected),
    hint,
  );
};

const notConnected = (
  players: number,
  limitMs: number,
  { connected, refusal }: Progress,
  hint: string,
): CapbenchError =>
  withCause(
    `${players - connected} of ${players} players are not connected after ${Math.round(limitMs / 1e3)} s`,
    refusal,
    hint,
  );
