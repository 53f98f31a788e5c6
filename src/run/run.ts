import { type ProbeAddresses, redisAddressOf } from '../address/probe-address.ts';
import { monotonic, openClockCheck } from '../clock.ts';
import { CapbenchError, interrupted, isBug, messageOf } from '../errors.ts';
import type { Engine, ReadyFleet } from '../load/engine.ts';
import type { Ending, Measurements } from '../measurement/measurements.ts';
import { type RunIdentity, RunRecord } from '../measurement/run-record.ts';
import { welcomeBreaches } from '../probe/excuses.ts';
import { busyForeignProcesses, portsUnderTest } from '../probe/foreign-processes.ts';
import { openHostProbe } from '../probe/host.ts';
import { openLimitsProbe } from '../probe/limits.ts';
import { openPostgresProbe } from '../probe/postgres.ts';
import { untilClosed } from '../probe/probe.ts';
import { openRedisProbe } from '../probe/redis.ts';
import { openTargetProbes, type TargetProbes } from '../probe/target-probes.ts';
import { openProcessProbes } from '../probe/target-processes.ts';
import type { Verification } from '../probe/verification.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { faultsOf, workloadOf } from '../scenario/workload.ts';
import type { Endpoints, Stack } from '../stack/stack.ts';
import { aborted, unlessAborted } from '../supervision/time-limit.ts';
import type { System } from '../systems/system.ts';
import type { Micros } from '../units.ts';
import { calibrate, type NullServersOpener } from './calibration.ts';
import { measureCanary, measureCanaryAfter } from './canary.ts';
import { type Drive, drive } from './drive.ts';
import { injectFaults } from './faults.ts';
import { OpenResources } from './open-resources.ts';
import { type OutageLog, openOutageLog } from './outages.ts';
import {
  endedByBug,
  endingOf,
  type Observer,
  openSteps,
  type Phase,
  type RunSignals,
  type Steps,
} from './steps.ts';

/** The parts of a run; commands/execute-run.ts wires them together. */
export interface RunPlan {
  readonly scenario: Scenario;
  readonly system: System;
  readonly identity: RunIdentity;
  readonly openStack: (signal: AbortSignal) => Promise<Stack>;
  readonly engine: Engine;
  /** What a reader should know of the run and decides nothing. */
  readonly remarks: readonly string[];
  readonly openNullServers: NullServersOpener;
  /** Why there are no null servers, where the system has some. */
  readonly uncalibrated?: string;
  /** What is probed of a target besides its servers; null where the stack is started here. */
  readonly watched: WatchedTarget | null;
  /** Reads a log before its folder is removed. */
  readonly readLog: (path: string) => Promise<string>;
  /** Receives the measurements before anything is closed, so that a failure while closing loses nothing. */
  readonly keep: (measurements: Measurements) => Promise<void>;
}

/** The state that the steps of one run share. */
interface Running extends Omit<Drive, 'disturb' | 'answered'> {
  readonly plan: RunPlan;
  readonly signals: RunSignals;
  readonly steps: Steps;
  readonly logs: Map<string, string>;
  /** They record the last facts before anything is closed. */
  readonly gatherers: (() => Promise<void>)[];
  readonly closers: OpenResources;
}

/**
 * One run: calibration -> stack -> ceilings -> READY -> GO -> ramp, warm-up, measure -> drain -> verify -> close. However
 * it ends, it returns the facts measured until then and leaves nothing running. It throws only for errors that occur
 * before the stack is up.
 */
export async function run(plan: RunPlan, observer: Observer, signals: RunSignals) {
  const workload = workloadOf(plan.scenario, plan.system.scenario);
  const clockDriftMs = openClockCheck();
  const record = new RunRecord(plan.identity, workload, monotonic());
  if (observer.follow !== undefined) {
    const soFar = record.follow();
    observer.follow(() => soFar(monotonic()));
  }
  const warnings: string[] = [];
  let phase: Phase = 'calibrate';
  let interruptedIn: Phase | null = null;
  signals.stop.addEventListener('abort', () => {
    interruptedIn ??= phase;
  });
  const enter = (next: Phase): void => {
    phase = next;
    observer.phase(next);
  };
  const interrupted = (during: Phase): void => {
    interruptedIn = during;
  };
  const running: Running = {
    ...{ plan, workload, record, signals, observer, enter, interrupted, steps: openSteps(signals) },
    ...{ logs: new Map(), gatherers: [], closers: new OpenResources() },
  };
  const { closers, gatherers, logs } = running;
  let ending: Ending;
  let bug: { readonly thrown: unknown } | null = null;
  // Bugs are also recorded while the run is closing, when a broken connection is expected.
  void signals.crash.then((thrown) => {
    if (isBug(thrown)) bug ??= { thrown };
  });
  try {
    ending = await story(running);
  } catch (thrown) {
    const known = endingOf(thrown, phase);
    if (known === null && thrown instanceof CapbenchError && record.known.stackUp === null) {
      await closers.close(signals.abort);
      throw thrown;
    }
    if (known === null) bug ??= { thrown };
    ending = known ?? endedByBug(thrown, phase);
    if (signals.stop.aborted && ending.state === 'stackFailed') record.error(ending.because);
  }
  if (signals.stop.aborted) ending = { state: 'interrupted', phase: interruptedIn ?? phase };

  const orWarn = (what: string, doing: Promise<void>): Promise<void> =>
    doing.catch((thrown) => void warnings.push(`${what}: ${messageOf(thrown)}`));
  for (const gather of gatherers)
    await orWarn('the logs or the foreign processes could not be recorded', gather());
  const sofar = async (): Promise<void> =>
    plan.keep(record.measurements(ending, monotonic(), clockDriftMs()));
  await orWarn('the measurements could not be written before closing', sofar());
  enter('close');
  warnings.push(...(await closers.close(signals.abort)));
  if (record.known.canary !== null && ending.state === 'completed') {
    const { beforeMs } = record.known.canary;
    const again = measureCanaryAfter(beforeMs, plan.scenario.rules.canaryDriftPercent);
    const afterMs = await Promise.race([again, aborted(signals.abort)]);
    record.note({ canary: { beforeMs, afterMs } });
  }
  // An interrupt counts until here.
  if (signals.stop.aborted && (ending.state === 'completed' || ending.state === 'stoppedEarly')) {
    ending = { state: 'interrupted', phase: interruptedIn ?? phase };
  }
  return { measurements: record.close(ending, monotonic(), clockDriftMs()), logs, warnings, bug };
}

async function story(running: Running): Promise<Ending> {
  const { record, signals, steps, gatherers, enter } = running;
  await beforeTheStack(running);
  const stack = await startStack(running);
  const halt = AbortSignal.any([signals.stop, steps.dependOn(stack.failure)]);

  const probes = await steps.step('the probes', startProbes(running, stack));
  gatherers.push(async () => record.note({ foreign: probes.host.foreignProcesses() }));
  await ceilings(running, stack, halt);
  if (signals.stop.aborted) throw interrupted('stopped before the players connected');

  enter('connect');
  const fleet = await connect(running, stack, halt);
  const verification = await steps.step('the rows before GO', openCheck(running, stack, probes));
  const over = new AbortController();
  const outages = openOutageLog();
  const watching = verification?.watch(() => fleet.ledger(), over.signal, outages.all);
  const disturb = faultsFor(running, stack, verification, outages);
  const ending = await drive(
    { ...running, disturb, answered: stack.answered },
    fleet,
    probes.all,
    steps.broken(),
  ).finally(() => over.abort());
  await watching;
  const { tally } = record.known;
  const losses = verification?.losses ?? [];
  if (tally !== null) record.note({ welcomes: welcomeBreaches(tally.ledger, losses, outages.all()) });
  if (verification !== null && tally?.ledgerLost === undefined && tally !== null && !signals.abort.aborted) {
    enter('verify');
    const verifying = verification.verify(tally.ledger, signals.abort, outages.all);
    const integrity = await steps.step('the rows after the drain', verifying);
    const windows = losses.map(({ of, withinSeconds }) => ({ of, withinSeconds }));
    record.note({ integrity: { ...integrity, ...(windows.length === 0 ? {} : { windows }) } });
  }
  return ending;
}

const faultsFor = (
  { plan, workload, record }: Running,
  { disturb }: Stack,
  verification: Verification | null,
  outages: OutageLog,
): Drive['disturb'] => {
  const planned = faultsOf(plan.scenario);
  const note = record.fault.bind(record);
  return (go, fleet) =>
    planned.length === 0
      ? null
      : injectFaults(planned, {
          ...{ seed: workload.seed, go, disturb, fleet, verification, outages, note },
          end: workload.timeline.end,
          keptIn: plan.scenario.traits.keptIn,
        });
};

/** The canary and the calibration run before the stack, while nothing else uses the host. */
async function beforeTheStack({ plan, record, signals, steps, closers, enter }: Running): Promise<void> {
  enter('calibrate');
  const { engine, scenario, system, openNullServers } = plan;
  if (scenario.calibration.canary !== false)
    record.note({ canary: { beforeMs: await steps.step('the canary', measureCanary()), afterMs: null } });
  if (openNullServers === null) {
    const because = plan.uncalibrated ?? `the system ${system.name} has no null servers`;
    record.absent('generator.calibration', because);
  }
  const calibrating = calibrate(engine, scenario, system.scenario, openNullServers, signals.stop);
  closers.addWhenOpen(calibrating, async () => undefined);
  const calibration = await steps.step('the calibration', calibrating);
  if (calibration !== null && 'because' in calibration)
    record.absent('generator.calibration', calibration.because);
  else record.note({ calibration });
  if (signals.stop.aborted) throw interrupted('stopped before the stack was started');
}

async function startStack(running: Running): Promise<Stack> {
  const { plan, record, signals, steps, closers, enter } = running;
  enter('stack');
  const opening = plan.openStack(signals.stop);
  closers.addWhenOpen(opening, (opened) => opened.close());
  const stack = await steps.step('the stack', opening);
  gatherLogs(running, stack.logs);
  record.note({ stackUp: monotonic(), settings: stack.settings });
  const remarks = plan.system.remarks?.(plan.scenario, stack.endpoints.worlds, signals.stop);
  for (const one of plan.remarks) record.remark(one);
  for (const one of (await remarks) ?? []) record.remark(one);
  return stack;
}

const gatherLogs = (running: Running, of: ReadonlyMap<string, string>): void =>
  void running.gatherers.push(() => readLogs(running, of));

const readLogs = async ({ plan, logs }: Running, of: ReadonlyMap<string, string>): Promise<void> => {
  for (const [name, path] of of) logs.set(name, await plan.readLog(path));
};

/** Most players write nothing: only logs that have content are kept. */
const readPlayersLogs = async (running: Running, of: ReadonlyMap<string, string>): Promise<void> => {
  await readLogs(running, of);
  for (const name of of.keys()) if (running.logs.get(name) === '') running.logs.delete(name);
};

/** Opened after the stack, so that they are closed before it. */
async function startProbes({ plan, record, signals, closers }: Running, stack: Stack): Promise<RunProbes> {
  const opening = openProbes(plan, stack.endpoints, signals.stop);
  closers.addWhenOpen(opening, (opened) => opened.close());
  const probes = await opening;
  record.note({ systemProbes: probes.ofSystem, targetProbes: probes.ofTarget });
  return probes;
}

/** Measures the ceilings of a local database; they write, and a target's database is only read. */
async function ceilings(
  { plan, record, steps, enter }: Running,
  { endpoints: { database }, kind }: Stack,
  halt: AbortSignal,
): Promise<void> {
  if (database === null || kind !== 'local') return;
  const { system, scenario } = plan;
  if (system.measureCeilings === undefined) {
    record.absent('ceilings', `the system ${system.name} does not define a measurement of its ceilings`);
    return;
  }
  enter('ceilings');
  const measuring = system.measureCeilings(database, scenario, halt);
  record.note({ ceilings: await steps.step('the ceilings', measuring) });
}

async function connect(running: Running, { endpoints }: Stack, halt: AbortSignal): Promise<ReadyFleet> {
  const { plan, workload, record, steps, closers } = running;
  const begin = monotonic();
  record.note({ connecting: begin });
  // What its processes write while they are closed is kept, too.
  const preparing = plan.engine.prepare(workload, endpoints, halt, (of) => readPlayersLogs(running, of));
  closers.addWhenOpen(preparing, async (ready) => {
    await ready.close();
    for (const error of ready.closingErrors ?? []) record.error(error);
  });
  const fleet = await steps.step('the load', preparing);
  running.gatherers.push(() => readPlayersLogs(running, fleet.logs ?? new Map()));
  const { prepareMs } = fleet;
  if (prepareMs !== undefined)
    record.note({ prepareMs, connecting: (begin + Math.round(prepareMs * 1e3)) as Micros });
  record.note({ connect: fleet.connect, ready: monotonic(), workers: fleet.workerPids.length });
  return fleet;
}

/** The integrity check; null where the rows cannot be read, which is then recorded. */
async function openCheck(
  { plan: { system }, workload, record }: Running,
  { endpoints }: Stack,
  { ofSystem, ofTarget }: RunProbes,
): Promise<Verification | null> {
  const opened = (await system.openVerification?.({ endpoints, workload, probes: ofSystem })) ?? {
    because: `the system ${system.name} has no rows that capbench can read`,
  };
  if (!('because' in opened)) return opened;
  // A target's probes already report a missing PostgreSQL URL.
  if (ofTarget === null || endpoints.database !== null) record.absent('integrity', opened.because);
  return null;
}

/** What is probed of a target besides its servers. */
interface WatchedTarget {
  readonly addresses: ProbeAddresses;
  /** CA certificates for TLS connections. */
  readonly ca: string | undefined;
  /** All servers under load are on this host, whatever else is elsewhere. */
  readonly onThisHost: boolean;
}

/** Rejects with the error of a probe that cannot be opened, and with exit code 105 when stopped; none is left open then. */
async function openProbes(
  { scenario, system, watched, engine }: RunPlan,
  endpoints: Endpoints,
  stop: AbortSignal,
) {
  const { database } = endpoints;
  const named = scenario.probe?.tables;
  const tables = named ?? (scenario.traits.table === null ? [] : [scenario.traits.table]);
  // Servers of any kind may have no metrics, unless the system declares that all of its servers have them.
  const isAsked = endpoints.unknown !== true || scenario.traits.hasServerMetrics === 'yes';
  const ofSystem = isAsked ? ((await system.probes?.(endpoints)) ?? []).map(untilClosed) : [];
  const processes = await openProcessProbes(
    watched?.addresses.processes ?? [],
    // A stack that a command starts has one component.
    () => endpoints.worlds[0]?.pid ?? null,
  );
  const redis = endpoints.addresses?.redis;
  const ofStack = { metrics: [], postgres: null, redis: redis === undefined ? null : redisAddressOf(redis) };
  const isForeignKnown = watched === null ? endpoints.partlyGiven === true : watched.onThisHost;
  const foreign = isForeignKnown
    ? await busyForeignProcesses(
        portsUnderTest(endpoints, watched?.addresses ?? ofStack),
        processes.flatMap((probe) => probe.roots()),
      )
    : null;
  const host = openHostProbe(endpoints, foreign, engine.otherPids);
  const { limited } = endpoints;
  const all = [
    ...ofSystem,
    untilClosed(host),
    ...(limited === undefined ? [] : [untilClosed(openLimitsProbe(limited))]),
  ];
  const close = async (): Promise<void> => {
    await Promise.all(all.map((probe) => probe.close()));
  };
  let ofTarget: TargetProbes | null = null;
  try {
    if (watched !== null) {
      const opening = openTargetProbes({
        ...watched,
        database,
        tables,
        tablesMustExist: named !== undefined,
        processes,
        budgets: scenario.budgets,
        watch: scenario.watch,
      });
      ofTarget = await unlessAborted(opening, stop).catch((thrown) => {
        if (!stop.aborted) throw thrown;
        // The run does not wait for probes that take seconds to time out.
        void opening
          .then(({ probes }) => Promise.all(probes.map((probe) => probe.close())))
          .catch(() => undefined);
        throw interrupted('stopped before the players connected');
      });
      all.push(...ofTarget.probes.map(untilClosed));
    } else {
      if (database !== null) all.push(untilClosed(await openPostgresProbe(database, tables)));
      if (ofStack.redis !== null) all.push(untilClosed(await openRedisProbe(ofStack.redis)));
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { all, ofSystem, ofTarget, host, close };
}

/** All probes of a run; none takes a reading once they are closed. */
type RunProbes = Awaited<ReturnType<typeof openProbes>>;
