import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { monotonic } from '../../clock.ts';
import { type CapbenchError, interrupted, stackFailed } from '../../errors.ts';
import { EMPTY_HISTOGRAM } from '../../histogram.ts';
import type { Workload } from '../../scenario/workload.ts';
import type { Endpoints } from '../../stack/stack.ts';
import { readProcess, residentBytes } from '../../supervision/proc.ts';
import {
  type CommandSpec,
  describeExit,
  type Exit,
  KILL,
  type Rung,
  type SupervisedProcess,
  startProcess,
} from '../../supervision/process.ts';
import { openRunFolder, type RunFolder } from '../../supervision/run-folder.ts';
import type { Watchdog } from '../../supervision/watchdog.ts';
import { type Micros, micros } from '../../units.ts';
import { connectHint } from '../connect-hint.ts';
import type {
  ConnectFacts,
  Engine,
  Ledger,
  LoadSecond,
  ProcessSecond,
  ReadyFleet,
  Tally,
} from '../engine.ts';
import { ErrorCounts } from '../error-counts.ts';
import type { Deal } from '../fleet/deal.ts';
import { planConnections, readHostLimits } from '../limits.ts';
import { destinationOf } from '../native.ts';
import { assertConserved } from '../recorder.ts';
import { scheduleHashOf } from '../schedule-hash.ts';
import { flowsOf, K6Account } from './account.ts';
import type { K6Binary } from './binary.ts';
import { type K6System, playerUsersOf } from './k6-system.ts';
import { ledgerOf } from './ledger-of.ts';
import { LinePipe } from './line-pipe.ts';
import { userReportIn } from './user-report.ts';

interface K6EngineOptions {
  readonly k6: K6Binary;
  readonly system: K6System;
  /** The script that makes a workload's load (export/k6/script.ts), for servers at these addresses. */
  readonly script: (workload: Workload, baseUrls: readonly string[]) => string;
  /** Asks the servers, before k6 does, whether they are those of the workload. */
  readonly deal: Deal;
  readonly watchdog: Watchdog;
  /** Called while the players connect. */
  readonly onConnecting?: (connected: number, failed: number) => void;
}

/** As Ctrl-C does: k6 ends its virtual users. */
const LADDER: readonly Rung[] = [{ signal: 'SIGINT', patience: 15_000 }, KILL];

/** k6 itself, with the script of `capbench export k6`: one process with everybody who acts. */
export function createK6Engine(options: K6EngineOptions): Engine {
  const { k6, system, script, deal, watchdog, onConnecting = () => {} } = options;
  return {
    name: 'k6',
    async prepare(workload: Workload, at: Endpoints, signal: AbortSignal): Promise<ReadyFleet> {
      const worlds = await deal(at, workload, signal);
      const destinations = worlds.map((world) => destinationOf(world, at, workload));
      if (planConnections(destinations, 1, readHostLimits()).sources.length > 0) {
        throw stackFailed(
          `${workload.players} connections need more source ports than one address has, and k6 has one`,
          'run more world servers on ports of their own, lower --scale, or use --engine native',
        );
      }
      const folder = await openRunFolder(watchdog, [tmpdir()], null, 'files');
      try {
        const urls = at.worlds.map(({ url }) => url);
        await writeFile(folder.file('script.js'), script(workload, urls));
        // Names are resolved once, before the run: k6 goes where they were then.
        await writeFile(folder.file('config.json'), JSON.stringify({ hosts: hostsOf(at) }));
        return await new K6Fleet({
          ...{ system, workload, folder, onConnecting, connectHint: connectHint(at) },
          process: {
            name: 'k6',
            command: k6.path,
            args: argumentsFor((name) => folder.file(name)),
            // A home of its own, and no extensions: k6 connects to nothing but the servers.
            env: {
              ...{ HOME: folder.path, K6_AUTO_EXTENSION_RESOLUTION: 'false', GOGC: GARBAGE_PERCENT },
              // Arguments can be read by everybody on this host.
              CAPBENCH_AUTHORIZATION: at.worlds[0]?.headers?.authorization ?? '',
            },
            ...{ cwd: folder.path, log: folder.file('k6.log'), watchdog, ladder: LADDER },
          },
        }).open(signal);
      } catch (thrown) {
        await folder.remove();
        throw thrown;
      }
    },
  };
}

/**
 * Go collects garbage when it is so many percent of what lives, by default 100: a quarter as often here, for memory
 * that a host of a load test has. What each collection stops is in the latencies.
 */
const GARBAGE_PERCENT = '400';

const argumentsFor = (file: (name: string) => string): readonly string[] => [
  'run',
  ...['--quiet', '--no-color', '--no-usage-report', '--no-thresholds'],
  ...['--summary-mode', 'disabled'],
  ...['--address', '', '--log-format', 'raw'],
  // k6's own metrics are not read: without tags they cost least.
  ...['--system-tags', '', '--config', file('config.json')],
  ...['--console-output', file('reports'), '-e', 'CAPBENCH_REPORTS=1'],
  file('script.js'),
];

function hostsOf({ worlds }: Endpoints): Readonly<Record<string, string>> {
  return Object.fromEntries(
    worlds.flatMap(({ url, address }) =>
      address === undefined ? [] : [[new URL(url).hostname, address] as const],
    ),
  );
}

/** Above this share of players that cannot connect, the fleet does not get READY. */
const TOLERATED_FAILURES = 0.01;
const TICK_MS = 100;
const MOST_ERRORS = 5;
/** k6 compiles the script for each virtual user before the first one runs: so long for each, and this beside. */
const INIT_SPARE_MS = 60_000;
const INIT_MS_PER_USER = 20;
/** In the place of a hash that not all virtual users reported. */
const NO_HASH = 'incomplete';

interface K6FleetPlan {
  readonly system: K6System;
  readonly workload: Workload;
  /** Of the script and the pipe; it is removed when k6 has ended. */
  readonly folder: RunFolder;
  readonly process: CommandSpec;
  readonly onConnecting: (connected: number, failed: number) => void;
  /** For players that could not connect. */
  readonly connectHint: string;
}

/**
 * One k6 process with everybody who acts. The script fixes GO when it starts them; what its virtual users measure comes as
 * their reports, while it runs.
 *
 *   starting -> connecting -> ready -> running -> done;  closed from any of them
 */
class K6Fleet implements ReadyFleet {
  private readonly plan: K6FleetPlan;
  private readonly account: K6Account;
  /** Virtual users: those that play, and the others. */
  private readonly players: number;
  private readonly others: number;
  private pipe: LinePipe | null = null;
  private child: SupervisedProcess | null = null;
  private goAt: Micros | null = null;
  private stoppedAt: number | null = null;
  private closing: Promise<void> | null = null;
  private changed: () => void = () => {};
  /** Rejects when the fleet is closed. */
  private readonly closed: Promise<never>;
  private close_: (error: Error) => void = () => {};

  constructor(plan: K6FleetPlan) {
    this.plan = plan;
    this.account = new K6Account(plan.workload.operations);
    this.players = playerUsersOf(plan.workload);
    this.others = plan.system.others(plan.workload)?.count ?? 0;
    this.closed = new Promise((_resolve, reject) => {
      this.close_ = reject;
    });
    this.closed.catch(() => {});
  }

  private read(line: string): void {
    const report = userReportIn(line);
    if (report === null) return;
    this.account.add(report);
    const { goWall } = this.account;
    if (this.goAt === null && goWall !== null) this.goAt = onMonotonicClock(goWall);
    this.changed();
  }

  /**
   * Starts k6 and waits until every player is connected.
   * @throws CapbenchError 93 when too many players cannot connect or GO comes first, 105 when aborted
   */
  async open(signal: AbortSignal): Promise<this> {
    try {
      const { folder, process } = this.plan;
      this.pipe = await LinePipe.open(folder.file('reports'), (line) => this.read(line));
      this.child = await startProcess(process);
      await this.connected(this.child, signal);
      return this;
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
  }

  get go(): Micros | null {
    return this.goAt;
  }

  get connect(): ConnectFacts {
    const { totals, connect } = this.account;
    const { connected, connectFailed: failed } = totals;
    return { connected, failed, errors: [], connect: connect.toData() };
  }

  get workerPids(): readonly number[] {
    return this.child === null ? [] : [this.child.pid];
  }

  async run(go: Micros, onSecond: (second: LoadSecond) => void): Promise<Tally> {
    const { account, child, plan } = this;
    if (child === null) throw new Error('the k6 fleet was run before it was opened');
    if (go !== this.goAt) throw new Error('k6 fixes GO itself');
    const late = monotonic() - go;
    if (late > 0) {
      throw stackFailed(
        `k6 began its schedule ${Math.round(late / 1e3)} ms before capbench was ready for it`,
        'the machine is too busy: end what runs beside, or lower --scale',
      );
    }
    const usage = new Usage(child.pid);
    const worker = () => [usage.take()];
    const report = (): void => {
      usage.look();
      for (const second of account.takeUntil(monotonic() - go, worker)) onSecond(second);
    };
    const clock = setInterval(report, TICK_MS);
    let exit: Exit;
    try {
      exit = await Promise.race([child.exited, this.closed]);
    } finally {
      clearInterval(clock);
    }
    const early = this.stoppedAt !== null;
    // One that was stopped ends with 105, or is killed where that takes too long.
    if (exit.code !== 0 && !early) throw died(child, exit);
    await this.pipe?.drain();
    const endedAt = Math.min(plan.workload.timeline.end, (this.stoppedAt ?? Number.POSITIVE_INFINITY) - go);
    if (early) account.settleRest(plan.system.plannedUntil(plan.workload, endedAt));
    for (const second of account.takeAll(monotonic() - go, worker)) onSecond(second);
    return this.tally(micros(Math.max(0, endedAt)));
  }

  private tally(endedAt: Micros): Tally {
    const { account } = this;
    const { ledgers } = account;
    const users = this.players + this.others;
    const errors = new ErrorCounts();
    for (const error of ledgers.flatMap((report) => report.errors)) errors.add(error);
    const complete = ledgers.length === users;
    const ledgerLost = `only ${ledgers.length} of ${users} virtual users of k6 reported what they had sent and what was answered`;
    if (!complete) errors.add(`${ledgerLost}: the rows were not checked`);
    const operations = account.tallies();
    for (const [name, tally] of Object.entries(operations)) assertConserved(name, tally);
    return {
      operations,
      ...flowsOf(account.totals),
      reconnects: 0,
      reconnect: EMPTY_HISTOGRAM,
      strayAnswers: account.totals.stray,
      errors: errors.top(MOST_ERRORS),
      ledger: ledgerOf(ledgers, this.plan.workload.entities),
      ...(complete ? {} : { ledgerLost }),
      endedAt,
      scheduleHash: complete ? scheduleHashOf(ledgers.map(({ hash }) => hash)) : NO_HASH,
    };
  }

  /** Faults are refused with this engine: sockets of k6's cannot be cut from outside. */
  drop(): Promise<number> {
    return Promise.resolve(0);
  }

  ledger(): Promise<Ledger> {
    return Promise.reject(
      stackFailed(
        'the virtual users of k6 report what they have sent only at their end',
        'run with --engine native to look at the rows meanwhile',
      ),
    );
  }

  stop(): void {
    const { goAt, child } = this;
    if (child === null || goAt === null || this.stoppedAt !== null) return;
    const now = monotonic();
    // Nothing more is due: it drains, and ends by itself.
    if (now - goAt >= this.plan.workload.timeline.end) return;
    this.stoppedAt = now;
    // k6 ends its virtual users where they are.
    void child.stop();
  }

  close(): Promise<void> {
    this.closing ??= this.leave();
    return this.closing;
  }

  private async leave(): Promise<void> {
    this.close_(interrupted('the load was closed before its run had ended'));
    await this.child?.stop();
    this.pipe?.close();
    await this.plan.folder.remove();
  }

  /** Resolves when every virtual user is connected. */
  private async connected(child: SupervisedProcess, signal: AbortSignal): Promise<void> {
    const { account, plan } = this;
    const { others } = this;
    const { players } = plan.workload;
    const limit = INIT_SPARE_MS + INIT_MS_PER_USER * (this.players + others);
    let timer: NodeJS.Timeout | undefined;
    let onAbort = (): void => {};
    const ready = new Promise<void>((resolve, reject) => {
      this.changed = () => {
        const { connected, connectFailed, lanesReady } = account.totals;
        plan.onConnecting(connected, connectFailed);
        if (connectFailed > players * TOLERATED_FAILURES)
          reject(cannotConnect(connectFailed, players, plan.connectHint, child));
        else if (this.goAt !== null && connected + connectFailed >= players && lanesReady >= others)
          resolve();
      };
      const started = monotonic();
      timer = setInterval(() => {
        const now = monotonic();
        if (this.goAt !== null && now > this.goAt) {
          reject(
            stackFailed(
              `${players - account.totals.connected} of ${players} players and ${others - account.totals.lanesReady} of ${others} other virtual users were not connected when k6's schedule began`,
              'k6 is too slow for so many on this machine: a lower --scale, or fewer connections a second (load.connectsPerSecond)',
            ),
          );
        } else if (this.goAt === null && now - started > limit * 1e3) {
          reject(stackFailed(`k6 did not begin within ${Math.round(limit / 1e3)} s`, tailOf(child)));
        }
      }, TICK_MS);
      onAbort = () => reject(interrupted('stopped while the players connected'));
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      void child.exited.then((exit) => reject(died(child, exit)));
    });
    try {
      await Promise.race([ready, this.closed]);
    } finally {
      clearInterval(timer);
      this.changed = () => {};
      signal.removeEventListener('abort', onAbort);
    }
  }
}

const tailOf = (child: SupervisedProcess): string => `It logged: ${child.tail(4).trim() || 'nothing'}`;

const died = (child: SupervisedProcess, exit: Exit): CapbenchError =>
  stackFailed(
    `k6 (process ${child.pid}) ended during the run: ${describeExit(exit)}`,
    exit.signal === 'SIGKILL'
      ? `See whether the system ran out of memory: k6 needs about 0.5 MB for each player. ${tailOf(child)}`
      : `See what k6 logged, and run again. ${tailOf(child)}`,
  );

const cannotConnect = (
  failed: number,
  players: number,
  hint: string,
  child: SupervisedProcess,
): CapbenchError =>
  stackFailed(`${failed} of ${players} players could not connect`, `${hint} ${tailOf(child)}`);

/** An instant of the wall clock, in whole milliseconds, on the host's monotonic clock: both are read at a tick of the wall clock. */
function onMonotonicClock(wall: number): Micros {
  const before = Date.now();
  let now = Date.now();
  while (now === before) now = Date.now();
  return micros(monotonic() + (wall - now) * 1e3);
}

/**
 * What a process uses, by the kernel. It is read often: after its end nothing can be read any more, and its last second
 * is known as far as the last reading.
 */
class Usage {
  private readonly pid: number;
  private cpuSeconds: number | null = null;
  private taken: number | null;
  private memoryBytes: number | null = null;

  constructor(pid: number) {
    this.pid = pid;
    this.look();
    this.taken = this.cpuSeconds;
  }

  look(): void {
    this.cpuSeconds = readProcess(this.pid)?.ownSeconds ?? this.cpuSeconds;
    this.memoryBytes = residentBytes(this.pid) ?? this.memoryBytes;
  }

  /** Since the last call; nulls where there is no /proc. */
  take(): ProcessSecond {
    const { pid, cpuSeconds, taken, memoryBytes } = this;
    this.taken = cpuSeconds;
    return {
      pid,
      cpuSeconds: cpuSeconds === null || taken === null ? null : cpuSeconds - taken,
      memoryBytes,
    };
  }
}
