import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from './clock.ts';
import { CapbenchError, EXIT, interrupted, messageOf, stackFailed } from './errors.ts';
import { hopelessness } from './judge/hopeless.ts';
import type { Engine, LoadSecond, ReadyFleet } from './load/engine.ts';
import type { Ending, Measurements } from './measurement/measurements.ts';
import { measurementsOf, type Notes, openNotes, type RunIdentity } from './measurement/notes.ts';
import { measureCeilings } from './probe/ceilings.ts';
import { generatorSamples } from './probe/generator.ts';
import { openHostProbe } from './probe/host.ts';
import { openPostgresProbe } from './probe/postgres.ts';
import type { Probe } from './probe/probe.ts';
import { openVerification } from './probe/verification.ts';
import { watch } from './probe/watch.ts';
import { openWorldProbe } from './probe/world.ts';
import type { Scenario } from './scenario/scenario.ts';
import { OPERATIONS, type Workload, workloadOf } from './scenario/workload.ts';
import type { Stack } from './stack/stack.ts';
import type { Micros } from './units.ts';

/** The steps of a run, in order (R2). */
export type Phase =
  | 'stack'
  | 'ceilings'
  | 'connect'
  | 'ramp'
  | 'warm-up'
  | 'measure'
  | 'drain'
  | 'verify'
  | 'close';

/** Who wants to see the run while it goes on. */
export interface Observer {
  phase(phase: Phase): void;
  second(second: LoadSecond): void;
}

/** `stop`: no more load, drain and verify. `abort`: leave everything and close. */
export interface StopSignals {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

/** What a run is made of; commands/run.ts wires it. */
export interface RunPlan {
  readonly scenario: Scenario;
  readonly identity: RunIdentity;
  readonly openStack: (signal: AbortSignal) => Promise<Stack>;
  readonly engine: Engine;
  /** Reads a log before its folder goes. */
  readonly readLog: (path: string) => Promise<string>;
}

export interface RunResult {
  readonly measurements: Measurements;
  /** Log name -> text, cut to a limit. */
  readonly logs: ReadonlyMap<string, string>;
}

/** Between READY and GO, so that every worker has its orders before the clock starts. */
const GO_DELAY = 300_000;
/** How long the end of a component may take to be seen after a connection to it broke. */
const EXPLAIN_MS = 500;
/** Beyond the drain, which the workers keep themselves, before they are given up. */
const OVERDUE = 20e6;
/** Once a component is gone, what is in flight gets this long before the run is closed without it. */
const LOST_DRAIN_MS = 5_000;

/** What the steps of one run share. */
interface Running {
  readonly plan: RunPlan;
  readonly workload: Workload;
  readonly notes: Notes;
  readonly signals: StopSignals;
  readonly observer: Observer;
  /** What closes what was opened, in order of opening. */
  readonly closers: (() => Promise<void>)[];
  enter(phase: Phase): void;
}

/**
 * One run: stack -> ceilings -> READY -> GO -> ramp, warm-up, measure -> drain -> verify -> close. Whatever
 * ends it, the facts learnt until then come back, and nothing is left running. Throws only what is a bug,
 * or bad input.
 */
export async function run(plan: RunPlan, observer: Observer, signals: StopSignals): Promise<RunResult> {
  const workload = workloadOf(plan.scenario);
  const notes = openNotes(plan.identity, monotonic());
  const closers: (() => Promise<void>)[] = [];
  const logs = new Map<string, string>();
  let phase: Phase = 'stack';
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

  const probes = await unlessLost('the probes', openProbes(stack, notes, closers));
  if (stack.endpoints.database !== null) {
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
  notes.connect = fleet.connect;
  notes.ready = monotonic();
  notes.workers = fleet.workerPids.length;
  notes.peakCcu = fleet.connect.connected;
  const { database } = stack.endpoints;
  const verification =
    database === null
      ? null
      : await unlessLost(
          'the rows before GO',
          openVerification(database, notes.worldProbes, workload.players + workload.monsters),
        );

  const ending = await load(running, fleet, probes, lost);
  if (verification !== null && notes.tally !== null && !signals.abort.aborted) {
    enter('verify');
    notes.integrity = await unlessLost(
      'the rows after the drain',
      verification.verify(notes.tally.ledger, signals.abort),
    );
  }
  return ending;
}

/**
 * A driver's own error ("Connection terminated unexpectedly") becomes a failure of the stack; where a component
 * turns out to be lost within a moment, that is the better reason. What can only be a bug stays one.
 */
async function explain(what: string, thrown: unknown, lost: Promise<never>): Promise<never> {
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
  stack: Stack,
  notes: Notes,
  closers: (() => Promise<void>)[],
): Promise<readonly Probe[]> {
  const worlds = stack.endpoints.worlds.map((world, index) => openWorldProbe(world, index + 1));
  const { database } = stack.endpoints;
  const probes: Probe[] = [...worlds, openHostProbe(database?.pid ?? null)];
  if (database !== null) probes.push(await openPostgresProbe(database));
  closers.push(async () => {
    await Promise.all(probes.map((probe) => probe.close()));
  });
  notes.worldProbes = worlds;
  return probes;
}

/** GO to the end of the drain, with the probes reading once a second. */
async function load(
  { workload, notes, signals, observer, enter }: Running,
  fleet: ReadyFleet,
  probes: readonly Probe[],
  lost: Promise<never>,
): Promise<Ending> {
  const { timeline } = workload;
  const go = (monotonic() + GO_DELAY) as Micros;
  notes.go = go;
  const readings = watch(probes, (at, samples) => notes.series.add(at, samples));
  notes.probes = readings.tallies;

  const toSamples = generatorSamples();
  const hopeless = hopelessness();
  let stopped: string | null = null;
  let phase: Phase = 'stack';
  const follow = (at: number): void => {
    const now: Phase =
      stopped !== null || signals.stop.aborted || at > timeline.end
        ? 'drain'
        : at > timeline.measureStart
          ? 'measure'
          : at > timeline.rampEnd
            ? 'warm-up'
            : 'ramp';
    if (now !== phase) enter(now);
    phase = now;
  };
  follow(0);
  const onSecond = (second: LoadSecond): void => {
    notes.series.add((go + second.at) as Micros, toSamples(second));
    notes.peakCcu = Math.max(notes.peakCcu, second.connected);
    observer.second(second);
    if (phase === 'measure') {
      for (const name of OPERATIONS) {
        const { scheduled, skipped, failed, timedOut } = second.operations[name];
        stopped ??= hopeless(name, { scheduled, missed: skipped + failed + timedOut });
      }
      if (stopped !== null) stop();
    }
    follow(second.at);
  };
  let stoppedAt: number | null = null;
  const stop = (): void => {
    stoppedAt ??= monotonic() - go;
    fleet.stop();
    follow(monotonic() - go);
  };
  signals.stop.addEventListener('abort', stop, { once: true });
  const drained = fleet.run(go, onSecond);
  drained.catch(() => undefined);
  const left = new Promise<null>((resolve) =>
    signals.abort.addEventListener('abort', () => resolve(null), { once: true }),
  );

  const overdue = deadline(() => {
    const end = stoppedAt ?? timeline.end;
    return (go + end + workload.drain + OVERDUE) as Micros;
  });

  try {
    if (signals.stop.aborted) stop();
    notes.tally = await Promise.race([drained, left, lost, overdue.passed]);
  } catch (thrown) {
    // Whatever was answered until a component was lost still counts, if the workers can tell it soon.
    fleet.stop();
    notes.tally = await Promise.race([drained, left, sleep(LOST_DRAIN_MS, null)]).catch(() => null);
    throw thrown;
  } finally {
    signals.stop.removeEventListener('abort', stop);
    overdue.cancel();
    await readings.finish();
  }
  if (signals.stop.aborted) return { state: 'interrupted', phase };
  return stopped === null ? { state: 'completed' } : { state: 'stoppedEarly', because: stopped };
}

/** Rejects once the host's monotonic clock is past what `at` says; it may come to say less. */
function deadline(at: () => Micros): { readonly passed: Promise<never>; readonly cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (monotonic() < at()) return;
      clearInterval(timer);
      reject(
        stackFailed(
          'a load worker did not end its part of the run',
          'it was stopped or is stuck: see whether the machine is overloaded, and run again',
        ),
      );
    }, 500);
  });
  passed.catch(() => undefined);
  return { passed, cancel: () => clearInterval(timer) };
}

function endingOf(thrown: unknown, phase: Phase): Ending {
  if (thrown instanceof CapbenchError && thrown.exitCode === EXIT.interrupted) {
    return { state: 'interrupted', phase };
  }
  if (thrown instanceof CapbenchError && thrown.exitCode === EXIT.stackFailed) {
    return { state: 'stackFailed', because: thrown.message, hint: thrown.hint ?? '' };
  }
  throw thrown;
}
