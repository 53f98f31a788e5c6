import { type Micros, micros } from '../units.ts';
import { type OperationSpec, ofOperation } from './operations.ts';
import type { Fault, Load, Scenario } from './scenario.ts';
import { type ChurnWindow, churnWindows, stormsOf, type TimedStage, timedStages } from './stages.ts';
import type { SystemScenario, SystemWorkload } from './system-scenario.ts';

/** The phases of the load, in microseconds after GO; `end` is the last due time. */
export interface Timeline {
  readonly rampEnd: Micros;
  readonly measureStart: Micros;
  readonly end: Micros;
  /** Of the measure phase; absent without stages. */
  readonly stages?: readonly TimedStage[] | undefined;
}

/** An operation and its rate over all actors, at the end of the ramp. */
export interface OperationWorkload extends OperationSpec {
  readonly perSecond: number;
}

/** Values of the load that the workload takes unchanged. */
type LoadValues = Pick<
  Load,
  'players' | 'outstanding' | 'skipAfter' | 'timeout' | 'drain' | 'connectsPerSecond'
>;

/** The load, independent of the engine: plain data, sent to every worker. */
export interface Workload extends SystemWorkload, LoadValues {
  readonly seed: number;
  readonly timeline: Timeline;
  /** In the system's order: an operation's index here is used by the recorder and the schedule's hash. */
  readonly operations: readonly OperationWorkload[];
  /**
   * Lost connections are reopened, and continue from the server's state. Only when faults, a reconnect storm, churn or
   * stages with other numbers of players are planned: otherwise a lost connection is a finding, and stays lost.
   */
  readonly reconnect: boolean;
  /** The calibration of the generator, against null servers. */
  readonly isCalibration?: true;
  /** So many times as fast as in the run do players begin what follows from answers; absent: 1. */
  readonly pace?: number | undefined;
  /** When players leave and rejoin. */
  readonly churn?: readonly ChurnWindow[] | undefined;
}

/** One occurrence of a fault. */
export interface PlannedFault extends Pick<Fault, 'action' | 'of' | 'lasting' | 'sharePercent'> {
  /** Such as `kill-postgres-3`, the third of its kind. */
  readonly id: string;
  /** After GO. */
  readonly at: Micros;
  /** For a reconnect storm: the index of the stage that starts with it. */
  readonly stage?: number | undefined;
}

/** All occurrences of faults before the last due time, in order of time. */
export function faultsOf({ faults, load }: Pick<Scenario, 'faults' | 'load'>): readonly PlannedFault[] {
  const starts = { ramp: 0, 'warm-up': load.ramp, measure: load.ramp + load.warmUp };
  const end = starts.measure + load.duration;
  const measureStart = micros(starts.measure);
  const storms = stormsOf(load, timedStages(load, measureStart)).map(
    ({ stage, index, at, sharePercent }) => ({
      ...{ action: 'drop', of: 'players', lasting: micros(0), at, sharePercent },
      ...{ id: `cut-${stage}`, stage: index },
    }),
  ) satisfies PlannedFault[];
  return [...storms, ...disturbances(faults, starts, end)].sort((a, b) => a.at - b.at);
}

function disturbances(
  faults: Scenario['faults'],
  starts: Readonly<Record<Scenario['faults'][number]['phase'], number>>,
  end: number,
): readonly PlannedFault[] {
  const count = new Map<string, number>();
  return faults
    .flatMap(({ action, of, at, phase, lasting, sharePercent, times, every }) =>
      Array.from({ length: times }, (_, i) => ({
        ...{ action, of, lasting, sharePercent },
        at: micros(starts[phase] + at + i * every),
      })),
    )
    .filter(({ at }) => at < end)
    .sort((a, b) => a.at - b.at)
    .map((fault) => {
      const kind = `${fault.action}-${fault.of}`;
      const number = (count.get(kind) ?? 0) + 1;
      count.set(kind, number);
      return { id: `${kind}-${number}`, ...fault };
    });
}

/** The phases of a load, and the stages of the measure phase. */
export function timelineOf(load: Load): Timeline {
  const measureStart = (load.ramp + load.warmUp) as Micros;
  const stages = timedStages(load, measureStart);
  const phases = { rampEnd: load.ramp, measureStart, end: (measureStart + load.duration) as Micros };
  return stages.length === 0 ? phases : { ...phases, stages };
}

/** The players who connect before GO: those of the first stage. */
export const playersAtStart = ({ timeline, players }: Pick<Workload, 'timeline' | 'players'>): number =>
  timeline.stages?.[0]?.players?.before ?? players;

/** Whether connections are ended on purpose, by faults, storms, churn or stages with fewer players, and reopened. */
export const playersComeBack = ({ faults, load }: Pick<Scenario, 'faults' | 'load'>): boolean => {
  const { stages = [], end } = timelineOf(load);
  return (
    faults.length > 0 ||
    faultsOf({ faults, load }).length > 0 ||
    churnWindows(load, stages, end).length > 0 ||
    stages.some(({ players }) => players !== undefined && players.at !== players.before)
  );
};

export function workloadOf(scenario: Scenario, system: SystemScenario): Workload {
  const { load } = scenario;
  const { players, outstanding, skipAfter, timeout, drain, connectsPerSecond } = load;
  const timeline = timelineOf(load);
  const churn = churnWindows(load, timeline.stages ?? [], timeline.end);
  return {
    seed: scenario.seed,
    timeline,
    operations: system.operations.map((one) => ({
      ...one,
      perSecond: ofOperation(load.operations, one.id).perSecond,
    })),
    ...system.workload(scenario),
    ...{ players, outstanding, skipAfter, timeout, drain, connectsPerSecond },
    reconnect: playersComeBack(scenario),
    ...(churn.length === 0 ? {} : { churn }),
  };
}
