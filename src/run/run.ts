import type { ProbeAddresses } from '../address/probe-address.ts';
import { monotonic, openClockCheck } from '../clock.ts';
import { CapbenchError, interrupted, isBug, messageOf } from '../errors.ts';
import type { Engine, ReadyFleet } from '../load/engine.ts';
import type { Ending, Measurements } from '../measurement/measurements.ts';
import { type RunIdentity, RunRecord } from '../measurement/run-record.ts';
import { busyForeignProcesses, portsUnderTest } from '../probe/foreign-processes.ts';
import { openHostProbe } from '../probe/host.ts';
import { openPostgresProbe } from '../probe/postgres.ts';
import { untilClosed } from '../probe/probe.ts';
import { openTargetProbes, type TargetProbes } from '../probe/target-probes.ts';
import type { Verification } from '../probe/verification.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { faultsOf, workloadOf } from '../scenario/workload.ts';
import type { Endpoints, Stack } from '../stack/stack.ts';
import { aborted, unlessAborted } from '../supervision/time-limit.ts';
import type { System } from '../systems/system.ts';
import { calibrate, type NullServersOpener } from './calibration.ts';
import { measureCanary, measureCanaryAfter } from './canary.ts';
import { type Drive, drive } from './drive.ts';
import { injectFaults } from './faults.ts';
import { OpenResources } from './open-resources.ts';
import {
  brokenOff,
  endingOf,
  type Observer,
  openSteps,
  type Phase,
  type RunSignals,
  type Steps,
} from './steps.ts';

/** What a run is made of; commands/execute-run.ts wires it. */
export interface RunPlan {
  readonly scenario: Scenario;
  readonly system: System;
  readonly identity: RunIdentity;
  readonly openStack: (signal: AbortSignal) => Promise<Stack>;
  readonly engine: Engine;
  readonly openNullServers: NullServersOpener;
  /** What of a target is watched besides its servers; null where the stack is started here. */
  readonly watched: WatchedTarget | null;
  /** Reads a log before its folder goes. */
  readonly readLog: (path: string) => Promise<string>;
  /** Told what is known when the run has ended and nothing is closed yet: whatever happens then loses nothing. */
  readonly keep: (measurements: Measurements) => Promise<void>;
}

/** What the steps of one run share. */
interface Running extends Omit<Drive, 'disturb'> {
  readonly plan: RunPlan;
  readonly signals: RunSignals;
  readonly steps: Steps;
  readonly logs: Map<string, string>;
  /** What notes the last facts of what was opened, before anything is closed. */
  readonly gatherers: (() => Promise<void>)[];
  readonly closers: OpenResources;
}

/**
 * One run: calibration -> stack -> ceilings -> READY -> GO -> ramp, warm-up, measure -> drain -> verify -> close. Whatever
 * ends it, the facts learnt until then come back, and nothing is left running. Throws only bad input that shows
 * before anything was opened.
 */
export async function run(plan: RunPlan, observer: Observer, signals: RunSignals) {
  const workload = workloadOf(plan.scenario, plan.system.scenario);
  const clockDriftMs = openClockCheck();
  const record = new RunRecord(plan.identity, workload, monotonic());
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
  const running: Running = {
    ...{ plan, workload, record, signals, observer, enter, steps: openSteps(signals) },
    ...{ logs: new Map(), gatherers: [], closers: new OpenResources() },
  };
  const { closers, gatherers, logs } = running;
  let ending: Ending;
  let bug: { readonly thrown: unknown } | null = null;
  // Also while the rest is closed; a connection that breaks then is no news.
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
    ending = known ?? brokenOff(thrown, phase);
    if (signals.stop.aborted && ending.state === 'stackFailed') record.error(ending.because);
  }
  if (signals.stop.aborted) ending = { state: 'interrupted', phase: interruptedIn ?? phase };

  const orWarn = (what: string, doing: Promise<void>): Promise<void> =>
    doing.catch((thrown) => void warnings.push(`${what}: ${messageOf(thrown)}`));
  for (const gather of gatherers) await orWarn('the logs, or who else used the host', gather());
  const sofar = async (): Promise<void> =>
    plan.keep(record.measurements(ending, monotonic(), clockDriftMs()));
  await orWarn('what was measured is not written yet', sofar());
  enter('close');
  warnings.push(...(await closers.close(signals.abort)));
  if (record.known.canary !== null && ending.state === 'completed') {
    const { beforeMs } = record.known.canary;
    const again = measureCanaryAfter(beforeMs, plan.scenario.rules.canaryDriftPercent);
    const afterMs = await Promise.race([again, aborted(signals.abort)]);
    record.note({ canary: { beforeMs, afterMs } });
  }
  // Until here there was something to interrupt.
  if (signals.stop.aborted && (ending.state === 'completed' || ending.state === 'stoppedEarly')) {
    ending = { state: 'interrupted', phase: interruptedIn ?? phase };
  }
  return { measurements: record.close(ending, monotonic(), clockDriftMs()), logs, warnings, bug };
}

async function story(running: Running): Promise<Ending> {
  const { record, signals, steps, gatherers, enter } = running;
  await beforeTheStack(running);
  const stack = await startStack(running);
  const halt = AbortSignal.any([signals.stop, steps.standOn(stack.failure)]);

  const probes = await steps.step('the probes', watchOver(running, stack));
  gatherers.push(async () => record.note({ foreign: probes.host.foreignProcesses() }));
  await ceilings(running, stack, halt);
  if (signals.stop.aborted) throw interrupted('stopped before the players connected');

  enter('connect');
  const fleet = await connect(running, stack, halt);
  const verification = await steps.step('the rows before GO', openCheck(running, stack, probes));
  const over = new AbortController();
  const watching = verification?.watch(() => fleet.ledger(), over.signal);
  const disturb = faultsFor(running, stack, verification);
  const ending = await drive({ ...running, disturb }, fleet, probes.all, steps.broken()).finally(() =>
    over.abort(),
  );
  await watching;
  const { tally } = record.known;
  if (verification !== null && tally?.ledgerLost === undefined && tally !== null && !signals.abort.aborted) {
    enter('verify');
    const verifying = verification.verify(tally.ledger, signals.abort);
    record.note({ integrity: await steps.step('the rows after the drain', verifying) });
  }
  return ending;
}

const faultsFor = (
  { plan, workload, record }: Running,
  { disturb }: Stack,
  verification: Verification | null,
): Drive['disturb'] => {
  const planned = faultsOf(plan.scenario);
  const note = record.fault.bind(record);
  return (go, fleet) =>
    planned.length === 0
      ? null
      : injectFaults(planned, {
          ...{ seed: workload.seed, go, disturb, fleet, verification, note },
          keptIn: plan.scenario.traits.keptIn,
        });
};

/** What the generator, and one core of this host, do before there is anything beside them. */
async function beforeTheStack({ plan, record, signals, steps, closers, enter }: Running): Promise<void> {
  enter('calibrate');
  const { engine, scenario, system, openNullServers } = plan;
  if (scenario.calibration.canary !== false)
    record.note({ canary: { beforeMs: await steps.step('the canary', measureCanary()), afterMs: null } });
  if (openNullServers === null) {
    record.absent('generator.calibration', `the system ${system.name} has no servers to calibrate against`);
  }
  const calibrating = calibrate(engine, scenario, system.scenario, openNullServers, signals.stop);
  closers.addWhenOpen(calibrating, async () => undefined);
  record.note({ calibration: await steps.step('the calibration', calibrating) });
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
  return stack;
}

const gatherLogs = ({ plan, logs, gatherers }: Running, of: ReadonlyMap<string, string>): void =>
  void gatherers.push(async () => {
    for (const [name, path] of of) logs.set(name, await plan.readLog(path));
  });

/** They are closed before the stack is. */
async function watchOver({ plan, record, signals, closers }: Running, stack: Stack): Promise<RunProbes> {
  const opening = openProbes(plan, stack.endpoints, signals.stop);
  closers.addWhenOpen(opening, (opened) => opened.close());
  const probes = await opening;
  record.note({ systemProbes: probes.ofSystem, targetProbes: probes.ofTarget });
  return probes;
}

/** They write, and somebody else's database is only read. */
async function ceilings(
  { plan, record, steps, enter }: Running,
  { endpoints: { database }, kind }: Stack,
  halt: AbortSignal,
): Promise<void> {
  if (database === null || kind !== 'local') return;
  const { system, scenario } = plan;
  if (system.measureCeilings === undefined) {
    record.absent('ceilings', `nobody says what the database of the system ${system.name} is to show`);
    return;
  }
  enter('ceilings');
  const measuring = system.measureCeilings(database, scenario, halt);
  record.note({ ceilings: await steps.step('the ceilings', measuring) });
}

async function connect(running: Running, { endpoints }: Stack, halt: AbortSignal): Promise<ReadyFleet> {
  const { plan, workload, record, steps, closers } = running;
  record.note({ connecting: monotonic() });
  const preparing = plan.engine.prepare(workload, endpoints, halt);
  closers.addWhenOpen(preparing, (ready) => ready.close());
  const fleet = await steps.step('the load', preparing);
  gatherLogs(running, fleet.logs ?? new Map());
  record.note({ connect: fleet.connect, ready: monotonic(), workers: fleet.workerPids.length });
  return fleet;
}

/** The check of the rows; null where nobody can read them, which is then noted. */
async function openCheck(
  { plan: { system }, workload, record }: Running,
  { endpoints }: Stack,
  { ofSystem, ofTarget }: RunProbes,
): Promise<Verification | null> {
  const opened = (await system.openVerification?.({ endpoints, workload, probes: ofSystem })) ?? {
    because: `the system ${system.name} has no rows that are known here`,
  };
  if (!('because' in opened)) return opened;
  // A target's probes say themselves what was not named.
  if (ofTarget === null || endpoints.database !== null) record.absent('integrity', opened.because);
  return null;
}

/** What of a target is watched besides its servers. */
interface WatchedTarget {
  readonly addresses: ProbeAddresses;
  /** The authorities for what is reached over TLS. */
  readonly ca: string | undefined;
}

/** Rejects as what cannot be opened does, and with exit code 105 when stopped; none is left open then. */
async function openProbes(
  { scenario, system, identity: { colocated }, watched }: RunPlan,
  endpoints: Endpoints,
  stop: AbortSignal,
) {
  const { database } = endpoints;
  const tables = scenario.traits.table === null ? [] : [scenario.traits.table];
  // Of servers that only listen nobody knows what they tell, unless the system says that all of its servers do.
  const isAsked = endpoints.unknown !== true || scenario.traits.hasServerMetrics === 'yes';
  const ofSystem = isAsked ? ((await system.probes?.(endpoints)) ?? []).map(untilClosed) : [];
  const foreign =
    watched === null || !colocated
      ? null
      : await busyForeignProcesses(portsUnderTest(endpoints, watched.addresses));
  const host = openHostProbe(endpoints, foreign);
  const all = [...ofSystem, untilClosed(host)];
  const close = async (): Promise<void> => {
    await Promise.all(all.map((probe) => probe.close()));
  };
  let ofTarget: TargetProbes | null = null;
  try {
    if (watched !== null) {
      const opening = openTargetProbes({ ...watched, database, tables, budgets: scenario.budgets });
      ofTarget = await unlessAborted(opening, stop).catch((thrown) => {
        if (!stop.aborted) throw thrown;
        // Nobody waits for who takes seconds to say nothing.
        void opening
          .then(({ probes }) => Promise.all(probes.map((probe) => probe.close())))
          .catch(() => undefined);
        throw interrupted('stopped before the players connected');
      });
      all.push(...ofTarget.probes.map(untilClosed));
    } else if (database !== null) all.push(untilClosed(await openPostgresProbe(database, tables)));
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { all, ofSystem, ofTarget, host, close };
}

/** All that is watched meanwhile; none is asked any more once they are closed. */
type RunProbes = Awaited<ReturnType<typeof openProbes>>;
