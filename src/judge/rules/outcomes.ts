import type { Counts } from '../../load/engine.ts';
import { percentOf } from '../../measurement/readings.ts';
import { demandOf, failedSentOf, unansweredOf } from '../../measurement/sent.ts';
import { nounOf, type OperationSpec } from '../../scenario/operations.ts';
import { allowedRejections } from '../../scenario/rejections.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { playersComeBack } from '../../scenario/workload.ts';
import { fixed, type JudgedRule, type Limit, limitOf, type NumericLimit, named, stateOf } from './rule.ts';

/** Share of what was due. Where connections are cut on purpose, the limit is that for unsent operations. */
const UNANSWERED_PERCENT = 1;

/** More than half of the missing operations were sent and failed: the cause is the target. */
export const isTargets = (counts: readonly Counts[]): boolean => {
  const missed = counts.reduce((sum, { skipped, failed, timedOut }) => sum + skipped + failed + timedOut, 0);
  return 2 * counts.reduce((sum, one) => sum + failedSentOf(one), 0) > missed;
};

/** More than half of the missing operations had no connection left. */
export const hadEnded = ({ skipped, failed, failedUnsent, timedOut }: Counts): boolean =>
  2 * failedUnsent > skipped + failed + timedOut;

/** The whole measure phase, or one stage of it. */
interface OutcomeScope {
  /** Null: the whole phase. */
  readonly stage: string | null;
  /** Null: nothing was due, or it was not counted. */
  readonly countsOf: (op: string) => Counts | null;
  /** The share that has to be sent. */
  readonly sent: NumericLimit;
}

/** A rule for each outcome of an operation; load-sustained is the one for those that were not sent. */
export const outcomeRules = (scope: OutcomeScope, s: Scenario): readonly JudgedRule[] => [
  ...s.operations.map((op) => operationsFailed(op, scope)),
  ...s.operations.map((op) => answered(op, scope, s)),
  ...s.operations.map((op) => rejected(op, scope, s)),
];

/** Why there is no share. */
export const nothingOf = (counts: Counts | null | undefined): string =>
  counts !== null && counts !== undefined && counts.idle > 0 ? 'all were idle' : 'nothing was due';

/** Compares the share of one outcome with its limit. */
function shareRule(
  rule: string,
  op: OperationSpec,
  { stage, countsOf }: OutcomeScope,
  part: (counts: Counts) => number,
  limit: NumericLimit,
  advice: string,
): JudgedRule {
  const { id } = op;
  const counts = countsOf(id);
  const observed = counts === null ? null : percentOf(part(counts), demandOf(counts));
  return {
    ...{ id: named(rule, id, stage), ...limit, advice, consequence: 'breached' },
    state: stateOf(observed !== null, observed !== null && observed <= limit.limit),
    observed: observed ?? nothingOf(counts),
    ...(observed === null
      ? {}
      : { share: { carried: 100 - observed, least: 100 - limit.limit, of: nounOf(op) } }),
  };
}

function answered(op: OperationSpec, scope: OutcomeScope, s: Scenario): JudgedRule {
  const { sent } = scope;
  const limit = playersComeBack(s)
    ? { ...sent, limit: restOf(sent.limit), defaultLimit: restOf(sent.defaultLimit) }
    : { ...fixed(UNANSWERED_PERCENT), limit: UNANSWERED_PERCENT };
  return shareRule('answered', op, scope, unansweredOf, limit, adviceFor(scope.countsOf(op.id)));
}

/** The advice for the outcome of most of the unanswered operations. */
function adviceFor(counts: Counts | null): string {
  if (counts !== null && hadEnded(counts)) {
    return 'the connections over which they were due had ended: see the errors of the run, and why the target ends them';
  }
  if (counts !== null && 2 * failedSentOf(counts) > unansweredOf(counts)) {
    return 'the target answered with errors, or connections ended: see the errors of the run and the logs of the target';
  }
  return 'the target did not answer within load.timeout: find what is saturated, or whether it drops requests, or lower --scale';
}

function rejected(op: OperationSpec, scope: OutcomeScope, s: Scenario): JudgedRule {
  const { percent, defaultPercent, declared } = allowedRejections(op.id, s);
  const limit = { limit: percent, defaultLimit: defaultPercent, relaxed: percent > defaultPercent };
  return shareRule(
    'rejected',
    op,
    scope,
    (counts) => counts.rejected,
    limit,
    declared
      ? 'the target rejected more than rules.rejectedPercent allows: see its answers in the errors of the run and in its logs'
      : 'the target rejected these (HTTP 4xx or an error answer): see whether it has a rate limit, or a token is missing or expired; for rejections that are part of the game, set rules.rejectedPercent',
  );
}

/** The part of `answered` that was sent and failed. It decides nothing: earlier versions had a rule of this name. */
function operationsFailed(op: OperationSpec, scope: OutcomeScope): JudgedRule {
  const { share: _, ...rule } = shareRule(
    'operations-failed',
    op,
    scope,
    failedSentOf,
    { ...scope.sent, limit: restOf(scope.sent.limit), defaultLimit: restOf(scope.sent.defaultLimit) },
    'judged by answered, of which it is a part',
  );
  return { ...rule, consequence: 'none' };
}

/** 100% less this share, with no more digits: 1 for 99. */
const restOf = (percent: Limit['limit']): number => Number((100 - Number(percent)).toFixed(9));

/** The rules of the whole measure phase. With stages, they are judged in each stage instead. */
export function wholeOutcomeRules(
  countsOf: (op: string) => Counts | null,
  s: Scenario,
): readonly JudgedRule[] {
  const sent = limitOf(s.rules, 'sentPercent');
  if (s.load.stages === undefined) return outcomeRules({ stage: null, countsOf, sent }, s);
  return outcomeRules({ stage: null, countsOf: () => null, sent }, s).map((rule) => ({
    ...rule,
    observed: 'judged in each stage',
  }));
}
