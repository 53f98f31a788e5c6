import { type OperationSpec, ofOperation } from '../../scenario/operations.ts';
import type { Load, Scenario } from '../../scenario/scenario.ts';
import { operationalSeconds } from '../../scenario/stage-timeline.ts';
import { timelineOf } from '../../scenario/workload.ts';
import { fixed, limitOf, type NumericLimit, stateOf } from './limit.ts';
import { outcomeRules } from './outcomes.ts';
import type { Evidence, JudgedRule } from './rule.ts';
import { scheduleRule, sentRule } from './schedule.ts';

/** Seconds at the load's own rate that a measure phase is worth: with stages, the area under their rates. */
export function plannedSeconds(
  load: Load,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const { stages } = timelineOf(load);
  return stages === undefined ? to - from : stages.reduce((sum, stage) => sum + operationalSeconds(stage), 0);
}

/** The rules of the load that are judged stage by stage; none where the measure phase is all one. */
export function stageRules({ m, s, figures }: Pick<Evidence, 'm' | 's' | 'figures'>): readonly JudgedRule[] {
  const { stages } = timelineOf(s.load);
  if (stages === undefined) return [];
  const factsOf = (stage: string) => m.stages.find(({ name }) => name === stage);
  return [
    stagesMeasured({ m, s }),
    ...stages.flatMap((stage) =>
      s.operations.map((op) => {
        const facts = factsOf(stage.name);
        const observed = facts === undefined ? null : ofOperation(facts.operations, op.id).measured.scheduled;
        const ended = m.ending.state === 'completed';
        return scheduleRule(
          op,
          { stage: stage.name, seconds: operationalSeconds(stage), observed, ended },
          s,
        );
      }),
    ),
    ...stages.flatMap(({ name }) => s.operations.map((op) => loadSustained(op, name, { m, s, figures }))),
    ...stages.flatMap(({ name }) => {
      const facts = factsOf(name);
      const countsOf = (op: string) =>
        facts === undefined ? null : ofOperation(facts.operations, op).measured;
      return outcomeRules({ stage: name, countsOf, sent: sentLimit(s, name) }, s);
    }),
  ];
}

/** R7: a stage that nobody measured is none that was kept. */
function stagesMeasured({ m, s }: Pick<Evidence, 'm' | 's'>): JudgedRule {
  const wanted = (s.load.stages ?? []).map(({ name }) => name);
  const there = m.stages.map(({ name }) => name);
  const missing = wanted.filter((name, i) => there[i] !== name);
  return {
    id: 'stages-measured',
    state: stateOf(m.measured !== null && m.ending.state === 'completed', missing.length === 0),
    observed:
      missing.length === 0 ? `${there.length} of ${wanted.length}` : `not measured: ${missing.join(', ')}`,
    ...fixed('all stages'),
    advice:
      'the engine tells nothing of stages, or the bundle is of another scenario: run again with --engine native',
    consequence: 'invalid',
  };
}

/** Of one stage: its own, which then names the stage, or that of the rules. */
function sentLimit(s: Scenario, stage: string): NumericLimit {
  const own = s.load.stages?.find(({ name }) => name === stage)?.sentPercent;
  if (own === undefined) return limitOf(s.rules, 'sentPercent');
  return { ...limitOf({ ...s.rules, sentPercent: own }, 'sentPercent'), stage };
}

function loadSustained(
  op: OperationSpec,
  stage: string,
  { m, s, figures }: Pick<Evidence, 'm' | 's' | 'figures'>,
): JudgedRule {
  const found = figures.stages.find(({ name }) => name === stage);
  return sentRule(
    op,
    {
      stage,
      percent: found?.load.sentPercent[op.id] ?? null,
      without: found === undefined ? 'never reached' : 'nothing was due',
      counts: found?.load.operations[op.id],
      ownLag: ofOperation(m.operations, op.id).ownLag,
      limit: sentLimit(s, stage),
      advice:
        "the system did not take what was due in this stage: find what is saturated, lower its rate, or say with the stage's sentPercent how much of it may be missed",
    },
    s.load,
  );
}
