import type { Counts } from '../../load/engine.ts';
import { percentOf } from '../../measurement/readings.ts';
import { failedSentOf } from '../../measurement/sent.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Operation } from '../../scenario/workload.ts';
import { type Limit, limitOf, stateOf } from './limit.ts';
import type { LoadFacts } from './load.ts';
import type { JudgedRule } from './rules.ts';

const ADVICE =
  'these were sent, and the target answered with errors or ended the connection: see the errors of the run and the logs of the target';

/** Of what is missing, more than half was sent and failed: that is the target's doing. */
export const isTargets = (counts: readonly Counts[]): boolean => {
  const missed = counts.reduce((sum, { skipped, failed, timedOut }) => sum + skipped + failed + timedOut, 0);
  return 2 * counts.reduce((sum, one) => sum + failedSentOf(one), 0) > missed;
};

/** Of what is missing, more than half had no connection left to be sent over. */
export const hadEnded = ({ skipped, failed, failedUnsent, timedOut }: Counts): boolean =>
  2 * failedUnsent > skipped + failed + timedOut;

/** What was sent and failed. So much of it may be as may be left unsent: neither is load that was carried. */
export function operationsFailed(op: Operation, m: LoadFacts, { rules, load }: Scenario): JudgedRule {
  const sent = limitOf(rules, 'sentPercent');
  const { measured } = m.operations[op];
  if (load.stages === undefined) return failedRule(op, m.measured === null ? null : measured, sent);
  return { ...failedRule(op, null, sent), observed: 'judged in each stage' };
}

/** `sent`: how much has to be sent. Null counts: there are none. */
export function failedRule(id: string, counts: Counts | null, sent: Limit): JudgedRule {
  const observed = counts === null ? null : percentOf(failedSentOf(counts), counts.scheduled);
  const limit = restOf(sent.limit);
  return {
    ...sent,
    id: `operations-failed.${id}`,
    state: stateOf(observed !== null, observed !== null && observed <= Number(limit)),
    observed: observed ?? 'nothing was due',
    limit,
    defaultLimit: restOf(sent.defaultLimit),
    advice: ADVICE,
    consequence: 'breached-if-healthy',
  };
}

/** 1 of 99, and no more digits than those had. */
const restOf = (percent: Limit['limit']): number => Number((100 - Number(percent)).toFixed(9));
