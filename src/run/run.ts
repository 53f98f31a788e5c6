import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeAddresses } from '../address/probe-address.ts';
import { monotonic } from '../clock.ts';
import { CapbenchError, EXIT, interrupted, isBug, messageOf, refusalOf, stackFailed } from '../errors.ts';
import type { Engine } from '../load/engine.ts';
import type { Ending, Measurements } from '../measurement/measurements.ts';
import { measurementsOf, openNotes, type RunIdentity } from '../measurement/notes.ts';
import { openClockCheck } from '../probe/clock-drift.ts';
import { openHostProbe } from '../probe/host.ts';
import { busyNeighbours, portsUnderTest } from '../probe/neighbours.ts';
import { openPostgresProbe } from '../probe/postgres.ts';
import type { Probe } from '../probe/probe.ts';
import { openTargetProbes } from '../probe/target-probes.ts';
import { openVerification, type Verification, whyNoRows } from '../probe/verification.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { faultsOf, workloadOf } from '../scenario/workload.ts';
import type { DatabaseEndpoint, Stack } from '../stack/stack.ts';
import { aborted, settlesWithin, unlessAborted } from '../supervision/time-limit.ts';
import { measureCeilings } from '../systems/flux/ceilings.ts';
import { openWorldProbe } from '../systems/flux/probe.ts';
import { calibrate, type NullWorldOpener } from './calibration.ts';
import { measureCanary, measureCanaryAfter } from './canary.ts';
import { type Drive, drive } from './drive.ts';
import { injectFaults } from './faults.ts';
import type { Observer, Phase, RunSignals } from './phases.ts';

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
  /** Told what is known when the run has ended and nothing is closed yet: whatever happens then loses nothing. */
  readonly keep: (measurements: Measurements) => Promise<void>;
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
  /** What could not be read or closed in the end; it changes nothing of what was measured. */
  readonly warnings: readonly string[];
  /** What broke the run off and can only be a bug; the measurements say how far it came. */
  readonly bug: { readonly thrown: unknown } | null;
}

/** How long the end of a component may take to be seen after a connection to it broke. */
const EXPLAIN_MS = 500;
/** All that is closed has limits of its own, which are shorter together. */
const CLOSE_LIMIT_MS = 60_000;
/** The same for who wants to leave at once: what is not closed by then the watchdog ends. */
const LEAVE_MS = 1_000;

/** What the steps of one run share. */
interface Running extends Omit<Drive, 'disturb'> {
  readonly plan: RunPlan;
  readonly signals: RunSignals;
  /** What notes the last facts of what was opened, before anything is closed. */
  readonly gatherers: (() => Promise<void>)[];
  /** What closes what was opened, in order of opening. */
  readonly closers: (() => Promise<void>)[];
}

/**
 * One run: calibration -> stack -> ceilings -> READY -> GO -> ramp, warm-up, measure -> drain -> verify -> close. Whatever
 * ends it, the facts learnt until then come back, and nothing is left running. Throws only bad input that shows
 * before anything was opened.
 */
export async function run(plan: RunPlan, observer: Observer, signals: RunSignals): Promise<RunResult> {
  const workload = workloadOf(plan.scenario);
  const clockDriftMs = openClockCheck();
  const notes = openNotes(plan.identity, monotonic());
  const gatherers: (() => Promise<void>)[] = [];
  const closers: (() => Promise<void>)[] = [];
  const logs = new Map<string, string>();
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
  let ending: Ending;
  let bug: RunResult['bug'] = null;
  // Also while the rest is closed; a connection that breaks then is no news.
  void signals.crash.then((thrown) => {
    if (isBug(thrown)) bug ??= { thrown };
  });
  try {
    ending = await story({ plan, workload, notes, signals, observer, gatherers, closers, enter }, logs);
  } catch (thrown) {
    const known = endingOf(thrown, phase);
    if (known === null && thrown instanceof CapbenchError && notes.stackUp === null) {
      await closeAll(closers, signals.abort);
      throw thrown;
    }
    if (known === null) bug ??= { thrown };
    ending = known ?? brokenOff(thrown, phase);
    if (signals.stop.aborted && ending.state === 'stackFailed') notes.errors.push(ending.because);
  }
  if (signals.stop.aborted) ending = { state: 'interrupted', phase: interruptedIn ?? phase };
  const facts = (): Measurements => {
    notes.clockDriftMs = clockDriftMs();
    return measurementsOf(notes, workload.timeline, ending, monotonic());
  };
  const orWarn = (what: string, doing: Promise<void>): Promise<void> =>
    doing.catch((thrown) => void warnings.push(`${what}: ${messageOf(thrown)}`));
  for (const gather of gatherers) await orWarn('the logs, or who else used the host', gather());
  await orWarn(
    'what was measured is not written yet',
    Promise.resolve().then(() => plan.keep(facts())),
  );
  enter('close');
  warnings.push(...(await closeAll(closers, signals.abort)));
  if (notes.canary !== null && ending.state === 'completed') {
    const { beforeMs } = notes.canary;
    const again = measureCanaryAfter(beforeMs, plan.scenario.rules.canaryDriftPercent);
    const afterMs = await Promise.race([again, aborted(signals.abort)]);
    notes.canary = { beforeMs, afterMs };
  }
  // Until here there was something to interrupt.
  if (signals.stop.aborted && (ending.state === 'completed' || ending.state === 'stoppedEarly')) {
    ending = { state: 'interrupted', phase: interruptedIn ?? phase };
  }
  return { measurements: facts(), logs, warnings, bug };
}

/**
 * The last opened first. One that fails, or takes too long, does not keep the others open: it is told, and what it
 * leaves is the watchdog's.
 */
async function closeAll(
  closers: readonly (() => Promise<void>)[],
  abort: AbortSignal,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const closing = (async () => {
    for (const close of closers.toReversed()) {
      await close().catch((thrown) => void warnings.push(`not closed as it should be: ${messageOf(thrown)}`));
    }
  })();
  await Promise.race([settlesWithin(closing, CLOSE_LIMIT_MS), aborted(abort)]);
  if (!(await settlesWithin(closing, LEAVE_MS)) && !abort.aborted) {
    warnings.push(`not all was closed within ${CLOSE_LIMIT_MS / 1e3} s: the watchdog ends what is left`);
  }
  return [...warnings];
}

/** Whatever becomes of it. */
const settled = (promise: Promise<unknown>): Promise<void> =>
  promise.then(
    () => undefined,
    () => undefined,
  );

async function story(running: Running, logs: Map<string, string>): Promise<Ending> {
  const { plan, workload, notes, signals, gatherers, closers, enter } = running;
  let lost: Promise<never> = new Promise(() => {});
  const left = aborted(signals.abort).then((): never => {
    throw interrupted('left at once');
  });
  // A connection that breaks while nobody waits for its answer.
  const crashed = signals.crash.then((thrown): Promise<never> => {
    if (isBug(thrown) || !isOfConnection(thrown)) throw thrown;
    return explain('a connection', thrown, lost);
  });
  for (const end of [left, crashed]) end.catch(() => undefined);
  const step = <T>(what: string, doing: Promise<T>): Promise<T> =>
    Promise.race([doing.catch((thrown) => explain(what, thrown, lost)), lost, left, crashed]);
  const gatherLogs = (of: ReadonlyMap<string, string>): void =>
    void gatherers.push(async () => {
      for (const [name, path] of of) logs.set(name, await plan.readLog(path));
    });

  enter('calibrate');
  notes.canary = { beforeMs: await step('the canary', measureCanary()), afterMs: null };
  const calibrating = calibrate(plan.engine, plan.scenario, plan.openNullWorld, signals.stop);
  closers.push(() => settled(calibrating));
  notes.calibration = await step('the calibration', calibrating);
  if (signals.stop.aborted) throw interrupted('stopped before the stack was started');

  enter('stack');
  const opening = plan.openStack(signals.stop);
  // Also a stack that is up when nobody waits for it any more is closed.
  closers.push(() =>
    opening.then(
      (opened) => opened.close(),
      () => undefined,
    ),
  );
  const stack = await step('the stack', opening);
  gatherLogs(stack.logs);
  notes.stackUp = monotonic();
  notes.settings = stack.settings;
  lost = stack.failure.then(({ component, message, hint }): never => {
    throw stackFailed(`${component}: ${message}`, hint);
  });
  const gone = new AbortController();
  lost.catch(() => gone.abort());
  const halt = AbortSignal.any([signals.stop, gone.signal]);

  const probes = await step('the probes', openProbes(running, stack));
  // They write, and somebody else's database is only read.
  if (stack.endpoints.database !== null && stack.kind === 'local') {
    enter('ceilings');
    const { servers, batchOperations } = plan.scenario.world;
    notes.ceilings = await step(
      'the ceilings',
      measureCeilings(stack.endpoints.database, plan.scenario.ceilings, servers, batchOperations, halt),
    );
  }
  if (signals.stop.aborted) throw interrupted('stopped before the players connected');

  enter('connect');
  notes.connecting = monotonic();
  const preparing = plan.engine.prepare(workload, stack.endpoints, halt);
  closers.push(() =>
    preparing.then(
      (ready) => ready.close(),
      () => undefined,
    ),
  );
  const fleet = await step('the load', preparing);
  gatherLogs(fleet.logs ?? new Map());
  notes.connect = fleet.connect;
  notes.ready = monotonic();
  notes.workers = fleet.workerPids.length;
  notes.peakCcu = fleet.connect.connected;
  const { database } = stack.endpoints;
  const verification =
    database === null ? null : await step('the rows before GO', openCheck(running, database));

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
  const ending = await drive({ ...running, disturb }, fleet, probes, Promise.race([lost, crashed])).finally(
    () => over.abort(),
  );
  await watching;
  if (
    verification !== null &&
    notes.tally !== null &&
    notes.tally.ledgerLost === undefined &&
    !signals.abort.aborted
  ) {
    enter('verify');
    notes.integrity = await step(
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
  const known = thrown instanceof CapbenchError;
  if (isBug(thrown) || (known && thrown.exitCode !== EXIT.stackFailed)) throw thrown;
  await Promise.race([lost, sleep(EXPLAIN_MS)]);
  if (known) throw thrown;
  throw stackFailed(
    `${what}: ${messageOf(thrown)}`,
    'a component of the stack no longer answers: see the logs in the bundle',
    thrown,
  );
}

/** The system and PostgreSQL give their errors a code; of a connection that ended, pg gives none. */
const isOfConnection = (thrown: unknown): boolean =>
  thrown instanceof Error && ('code' in thrown || /^Connection terminated/.test(thrown.message));

/** All that is watched meanwhile. They are closed before the stack is. */
async function openProbes(
  { plan, notes, gatherers, closers, signals }: Running,
  stack: Stack,
): Promise<readonly Probe[]> {
  const { endpoints } = stack;
  const worlds =
    endpoints.unknown === true
      ? []
      : endpoints.worlds.map((world, index) => openWorldProbe(world, index + 1));
  const { database } = stack.endpoints;
  const neighbours =
    plan.watched === null || !plan.identity.colocated
      ? null
      : await busyNeighbours(portsUnderTest(endpoints, plan.watched.addresses));
  const host = openHostProbe(endpoints, neighbours);
  const probes: Probe[] = [...worlds, host];
  closers.push(async () => {
    await Promise.all(probes.map((probe) => probe.close()));
  });
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
  gatherers.push(async () => {
    notes.foreign = host.foreignProcesses();
  });
  notes.worldProbes = worlds;
  return probes;
}

/** Null for what is a bug, or bad input. */
function endingOf(error: unknown, phase: Phase): Ending | null {
  const thrown = refusalOf(error) ?? error;
  if (!(thrown instanceof CapbenchError)) return null;
  if (thrown.exitCode === EXIT.interrupted) return { state: 'interrupted', phase };
  if (thrown.exitCode !== EXIT.stackFailed) return null;
  return { state: 'stackFailed', because: thrown.message, hint: thrown.hint ?? '' };
}

const brokenOff = (thrown: unknown, phase: Phase): Ending => ({
  state: 'stackFailed',
  because: `capbench itself failed in the ${phase} phase, and the run ended with it: ${messageOf(thrown)}`,
  hint: 'report it; what was measured until then is in the bundle',
});
