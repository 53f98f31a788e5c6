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
  /** Of the measure phase, one after another; absent where it is all one. */
  readonly stages?: readonly TimedStage[] | undefined;
}

/** An operation, and how many of it are due a second over all who act: at the level of the ramp's end. */
export interface OperationWorkload extends OperationSpec {
  readonly perSecond: number;
}

/** What of a load is as it was asked for. */
type AsAsked = Pick<
  Load,
  'players' | 'outstanding' | 'skipAfter' | 'timeout' | 'drain' | 'connectsPerSecond'
>;

/** What the load is, apart from who makes it: plain data, sent to every worker. */
export interface Workload extends SystemWorkload, AsAsked {
  readonly seed: number;
  readonly timeline: Timeline;
  /** In the system's order: an operation's place here is its index in the recorder and in the schedule's hash. */
  readonly operations: readonly OperationWorkload[];
  /**
   * Players, and whoever acts beside them, whose connection ends connect again and go on from where the server left them. Only
   * where faults, a reconnect storm or churn are planned: elsewhere a lost connection is a finding, and stays lost.
   */
  readonly reconnect: boolean;
  /** It is the generator's own calibration: its servers answer everything at once and do nothing. */
  readonly calibrates?: true;
  /** When players leave and join. */
  readonly churn?: readonly ChurnWindow[] | undefined;
}

/** One fault, once. */
export interface PlannedFault extends Pick<Fault, 'action' | 'of' | 'lasting' | 'sharePercent'> {
  /** `kill-postgres-3`: the third of its kind. */
  readonly id: string;
  /** After GO. */
  readonly at: Micros;
  /** The stage that begins with it, by its place in the timeline: a reconnect storm. */
  readonly stage?: number | undefined;
}

/** The scenario's faults, one by one, in the order of their times; none after the last due time. */
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

/** The phases of a load, and the stages within the last one. */
export function timelineOf(load: Load): Timeline {
  const measureStart = (load.ramp + load.warmUp) as Micros;
  const stages = timedStages(load, measureStart);
  const phases = { rampEnd: load.ramp, measureStart, end: (measureStart + load.duration) as Micros };
  return stages.length === 0 ? phases : { ...phases, stages };
}

/** Connections end on purpose, by faults, storms or churn, and are made again. */
export const playersComeBack = ({ faults, load }: Pick<Scenario, 'faults' | 'load'>): boolean => {
  const { stages = [], end } = timelineOf(load);
  return (
    faults.length > 0 || faultsOf({ faults, load }).length > 0 || churnWindows(load, stages, end).length > 0
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
    operations: system.operations.map((one) => ({ ...one, ...ofOperation(load.operations, one.id) })),
    ...system.workload(scenario),
    ...{ players, outstanding, skipAfter, timeout, drain, connectsPerSecond },
    reconnect: playersComeBack(scenario),
    ...(churn.length === 0 ? {} : { churn }),
  };
}
