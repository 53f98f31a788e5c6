import type { HistogramData } from '../../histogram.ts';
import type { Counts } from '../../load/engine.ts';
import { type OperationSpec, ofOperation } from '../../scenario/operations.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { lateOnItsOwn } from './lateness.ts';
import { fixed, type NumericLimit, stateOf } from './limit.ts';
import type { JudgedRule } from './rule.ts';

/** `schedule-kept.move`, and with the stage where it is one's. */
export const named = (rule: string, op: string, stage: string | null): string =>
  stage === null ? `${rule}.${op}` : `${rule}.${op}.${stage}`;

/** What came due of an operation in the measure phase, or in one stage of it. */
export interface Scheduled {
  /** Null: the whole. */
  readonly stage: string | null;
  /** At the load's own rate. */
  readonly seconds: number;
  /** Null: it was never reached. */
  readonly observed: number | null;
  /** Its end was the planned one; stopped early, every worker ends its schedule at an instant of its own. */
  readonly ended: boolean;
}

/**
 * R4: what came due is known beforehand, rate times duration, to one operation for each stream. A generator that
 * falls behind its own schedule without counting it shows here.
 */
export function scheduleRule(
  { id }: Pick<OperationSpec, 'id'>,
  { stage, seconds, observed, ended }: Scheduled,
  { load, traits: { atOnce } }: Scenario,
): JudgedRule {
  const several = atOnce[id];
  // A stage's beginning and end each cut an interval of every stream.
  const tolerance = several === undefined ? (stage === null ? 1 : 2) * load.players : 2 * several.operations;
  const planned = Math.round(ofOperation(load.operations, id).perSecond * seconds);
  const isNothing = observed === 0 && stage === null;
  return {
    id: named('schedule-kept', id, stage),
    state: stateOf(
      ended && observed !== null,
      observed !== null && Math.abs(observed - planned) <= tolerance && (!isNothing || planned === 0),
    ),
    observed: observed ?? 'never reached',
    ...fixed(`${planned} to within ${tolerance}`),
    advice: isNothing
      ? `nothing of this load came due: a longer --duration${several === undefined ? '' : `, or fewer at once (${several.key})`}`
      : 'the generator did not count all that was due: this is a bug in capbench, please report it with the bundle',
    consequence: 'invalid',
  };
}

/** What was sent of an operation in the measure phase, or in one stage of it. */
export interface Sent {
  /** Null: the whole. */
  readonly stage: string | null;
  /** Of what was due. */
  readonly percent: number | null;
  /** Where there is no figure: why. */
  readonly without: string | null;
  readonly counts: Counts | undefined;
  /** Of the whole run; an engine that does not tell it may itself be why something was not sent. */
  readonly ownLag: HistogramData | undefined;
  readonly limit: NumericLimit;
  readonly advice: string;
}

/** R4: the load that was due was sent. */
export function sentRule(
  { id, label }: Pick<OperationSpec, 'id' | 'label'>,
  { stage, percent, without, counts, ownLag, limit, advice }: Sent,
  load: Scenario['load'],
): JudgedRule {
  const late = () => lateOnItsOwn(ownLag, counts, load);
  return {
    id: named('load-sustained', id, stage),
    state: stateOf(percent !== null, percent !== null && percent >= limit.limit),
    observed: percent ?? without,
    ...limit,
    advice,
    consequence: 'breached',
    // As if all that the generator itself came too late for had been due here.
    ...(percent === null || ownLag === undefined
      ? {}
      : { share: { carried: percent + late(), least: limit.limit, of: label } }),
  };
}
