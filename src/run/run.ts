import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from '../clock.ts';
import { CapbenchError, EXIT, interrupted, messageOf, refusalOf, stackFailed } from '../errors.ts';
import type { Engine } from '../load/engine.ts';
import type { Ending, Measurements } from '../measurement/measurements.ts';
import { measurementsOf, openNotes, type RunIdentity } from '../measurement/notes.ts';
import { measureCanary, measureCanaryAfter } from '../probe/canary.ts';
import { measureCeilings } from '../probe/ceilings.ts';
import { openClockCheck } from '../probe/clock-drift.ts';
import { openHostProbe } from '../probe/host.ts';
import { busyNeighbours } from '../probe/neighbours.ts';
import { openPostgresProbe } from '../probe/postgres.ts';
import type { Probe } from '../probe/probe.ts';
import { openTargetProbes } from '../probe/target-probes.ts';
import { openVerification, type Verification, whyNoRows } from '../probe/verification.ts';
import { openWorldProbe } from '../probe/world.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { faultsOf, workloadOf } from '../scenario/workload.ts';
import type { ProbeAddresses } from '../stack/probe-address.ts';
import type { DatabaseEndpoint, Stack } from '../stack/stack.ts';
import { unlessAborted } from '../stack/time-limit.ts';
import { calibrate, type NullWorldOpener } from './calibration.ts';
import { type Drive, drive } from './drive.ts';
import { injectFaults } from './faults.ts';
import type { Observer, Phase, StopSignals } from './phases.ts';

/** What a run is made of; commands/run.ts wires it. */
export interface RunPlan {
  readonly scenario: Scenario;
  readonly identity: RunIdentity;
  readonly openStack: (signal: AbortSignal) => Promise<Stack>;
  readonly engine: Engine;
  readonly openNullWorld: NullWorldOpener;
  /** What of a target is watched besides its world servers; null where the stack is started here. */
  readonly watched: WatchedTarget | null;
  /** Reads a log before its folder goes. */
  readonly readLog: (path: string) => Promise<string>;
}

export interface WatchedTarget {
  readonly addresses: ProbeAddresses;
  /** The authorities for what is reached over TLS. */
  readonly ca: string | undefined;
}

export interface RunResult {
  readonly measurements: Measurements;
  /** Log name -> text, cut to a limit. */
  readonly logs: ReadonlyMap<string, string>;
}

/** How long the end of a component may take to be seen after a connection to it broke. */
const EXPLAIN_MS = 500;

/** What the steps of one run share. */
interface Running extends Omit<Drive, 'disturb'> {
  readonly plan: RunPlan;
  /** What closes what was opened, in order of opening. */
  readonly closers: (() => Promise<void>)[];
}

/**
 * One run: calibration -> stack -> ceilings -> READY -> GO -> ramp, warm-up, measure -> drain -> verify -> close. Whatever
 * ends it, the facts learnt until then come back, and nothing is left running. Throws only what is a bug,
 * or bad input.
 */
export async function run(plan: RunPlan, observer: Observer, signals: StopSignals): Promise<RunResult> {
  const workload = workloadOf(plan.scenario);
  const clockDriftMs = openClockCheck();
  const notes = openNotes(plan.identity, monotonic());
  const closers: (() => Promise<void>)[] = [];
  const logs = new Map<string, string>();
  let phase: Phase = 'calibrate';
  const enter = (next: Phase): void => {
    phase = next;
    observer.phase(next);
  };
  let ending: Ending;
  try {
    ending = await story({ plan, workload, notes, signals, observer, closers, enter }, logs);
  } catch (thrown) {
    ending = endingOf(thrown, phase);
  } finally {
    enter('close');
    await closeAll(closers);
  }
  if (notes.canary !== null && ending.state === 'completed') {
    notes.canary = {
      ...notes.canary,
      afterMs: await measureCanaryAfter(notes.canary.beforeMs, plan.scenario.rules.canaryDriftPercent),
    };
  }
  notes.clockDriftMs = clockDriftMs();
  return { measurements: measurementsOf(notes, workload.timeline, ending, monotonic()), logs };
}

/** The last opened first. One that fails does not keep the others open; its error is told at the end. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.toReversed()) await close().catch((thrown) => failures.push(thrown));
  if (failures.length > 0) throw failures[0];
}

async function story(running: Running, logs: Map<string, string>): Promise<Ending> {
  const { plan, workload, notes, signals, closers, enter } = running;
  enter('calibrate');
  notes.canary = { beforeMs: await measureCanary(), afterMs: null };
  notes.calibration = await calibrate(plan.engine, plan.scenario, plan.openNullWorld, signals.stop);
  if (signals.stop.aborted) throw interrupted('stopped before the stack was started');

  enter('stack');
  const stack = await plan.openStack(signals.stop);
  closers.push(
    () => stack.close(),
    async () => {
      for (const [name, path] of stack.logs) logs.set(name, await plan.readLog(path));
    },
  );
  notes.stackUp = monotonic();
  notes.settings = stack.settings;
  const lost = stack.failure.then(({ component, message, hint }): never => {
    throw stackFailed(`${component}: ${message}`, hint);
  });
  const gone = new AbortController();
  lost.catch(() => gone.abort());
  const halt = AbortSignal.any([signals.stop, gone.signal]);
  const unlessLost = <T>(what: string, step: Promise<T>): Promise<T> =>
    Promise.race([step.catch((thrown) => explain(what, thrown, lost)), lost]);

  const probes = await unlessLost('the probes', openProbes(running, stack));
  // They write, and somebody else's database is only read.
  if (stack.endpoints.database !== null && stack.kind === 'local') {
    enter('ceilings');
    const { servers, batchOperations } = plan.scenario.world;
    notes.ceilings = await unlessLost(
      'the ceilings',
      measureCeilings(stack.endpoints.database, plan.scenario.ceilings, servers, batchOperations, halt),
    );
  }
  if (signals.stop.aborted) throw interrupted('stopped before the players connected');

  enter('connect');
  notes.connecting = monotonic();
  const preparing = plan.engine.prepare(workload, stack.endpoints, halt);
  // Also a fleet that gets ready when nobody waits for it any more is closed.
  closers.push(() => preparing.then((ready) => ready.close()).catch(() => undefined));
  const fleet = await unlessLost('the load', preparing);
  closers.push(async () => {
    for (const [name, path] of fleet.logs ?? []) logs.set(name, await plan.readLog(path));
  });
  notes.connect = fleet.connect;
  notes.ready = monotonic();
  notes.workers = fleet.workerPids.length;
  notes.peakCcu = fleet.connect.connected;
  const { database } = stack.endpoints;
  const verification =
    database === null ? null : await unlessLost('the rows before GO', openCheck(running, database));

  const planned = faultsOf(plan.scenario);
  const disturb: Drive['disturb'] = (go, driven) =>
    planned.length === 0
      ? null
      : injectFaults(planned, {
          ...{ seed: workload.seed, go, disturb: stack.disturb, fleet: driven, verification },
          note: (fault) => void notes.faults.push(fault),
        });
  const over = new AbortController();
  const watching = verification?.watch(() => fleet.ledger(), over.signal);
  const ending = await drive({ ...running, disturb }, fleet, probes, lost).finally(() => over.abort());
  await watching;
  if (
    verification !== null &&
    notes.tally !== null &&
    notes.tally.ledgerLost === undefined &&
    !signals.abort.aborted
  ) {
    enter('verify');
    notes.integrity = await unlessLost(
      'the rows after the drain',
      verification.verify(notes.tally.ledger, signals.abort),
    );
  }
  return ending;
}

/** The check of the rows; null for a target whose database has not this world's, which is then noted. */
async function openCheck(
  { workload, notes }: Running,
  database: DatabaseEndpoint,
): Promise<Verification | null> {
  const entities = workload.players + workload.monsters;
  if (database.attached !== undefined) {
    const because = await whyNoRows(database, entities);
    if (because !== null) {
      notes.absences.push({ of: 'integrity', because });
      return null;
    }
  }
  return openVerification(database, notes.worldProbes, entities);
}

/**
 * A driver's own error ("Connection terminated unexpectedly") becomes a failure of the stack; where a component
 * turns out to be lost within a moment, that is the better reason. What can only be a bug stays one.
 */
async function explain(what: string, thrown: unknown, lost: Promise<never>): Promise<never> {
  const refused = refusalOf(thrown);
  if (refused !== null) throw refused;
  if (thrown instanceof CapbenchError || thrown instanceof TypeError || thrown instanceof RangeError) {
    throw thrown;
  }
  await Promise.race([lost, sleep(EXPLAIN_MS)]);
  throw stackFailed(
    `${what}: ${messageOf(thrown)}`,
    'a component of the stack no longer answers: see the logs in the bundle',
    thrown,
  );
}

/** All that is watched meanwhile. They are closed before the stack is. */
async function openProbes(
  { plan, notes, closers, signals }: Running,
  stack: Stack,
): Promise<readonly Probe[]> {
  const { endpoints } = stack;
  const worlds =
    endpoints.unknown === true
      ? []
      : endpoints.worlds.map((world, index) => openWorldProbe(world, index + 1));
  const { database } = stack.endpoints;
  const quiet = stack.kind === 'target' && plan.identity.colocated;
  const host = openHostProbe(stack.endpoints, quiet ? await busyNeighbours(stack.endpoints) : null);
  const probes: Probe[] = [...worlds, host];
  if (plan.watched !== null) {
    const { budgets } = plan.scenario;
    const opening = openTargetProbes({ ...plan.watched, database, budgets });
    notes.targetProbes = await unlessAborted(opening, signals.stop).catch((thrown) => {
      if (!signals.stop.aborted) throw thrown;
      // Nobody waits for who takes seconds to say nothing.
      void opening
        .then(({ probes }) => Promise.all(probes.map((probe) => probe.close())))
        .catch(() => undefined);
      throw interrupted('stopped before the players connected');
    });
    probes.push(...notes.targetProbes.probes);
  } else if (database !== null) probes.push(await openPostgresProbe(database));
  closers.push(async () => {
    notes.foreign = host.foreignProcesses();
    await Promise.all(probes.map((probe) => probe.close()));
  });
  notes.worldProbes = worlds;
  return probes;
}

function endingOf(error: unknown, phase: Phase): Ending {
  const thrown = refusalOf(error) ?? error;
  if (thrown instanceof CapbenchError && thrown.exitCode === EXIT.interrupted) {
    return { state: 'interrupted', phase };
  }
  if (thrown instanceof CapbenchError && thrown.exitCode === EXIT.stackFailed) {
    return { state: 'stackFailed', because: thrown.message, hint: thrown.hint ?? '' };
  }
  throw thrown;
}
