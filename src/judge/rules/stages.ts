import type { Load, Scenario } from '../../scenario/scenario.ts';
import { operationalSeconds } from '../../scenario/stage-timeline.ts';
import { OPERATIONS, type Operation, timelineOf } from '../../scenario/workload.ts';
import { lateOnItsOwn } from './lateness.ts';
import { fixed, type Limit, limitOf, stateOf } from './limit.ts';
import { outcomeRules } from './outcomes.ts';
import type { Evidence, JudgedRule } from './rules.ts';

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
  return [
    stagesMeasured({ m, s }),
    ...stages.flatMap((stage) => OPERATIONS.map((op) => scheduleKept(op, stage, { m, s }))),
    ...stages.flatMap(({ name }) => OPERATIONS.map((op) => loadSustained(op, name, { m, s, figures }))),
    ...stages.flatMap(({ name }) => {
      const facts = m.stages.find((one) => one.name === name);
      const countsOf = (op: Operation) => facts?.operations[op].measured ?? null;
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

/** R4 within a stage, whose beginning and end each cut an interval of every stream. */
function scheduleKept(
  op: Operation,
  stage: NonNullable<ReturnType<typeof timelineOf>['stages']>[number],
  { m, s: { load } }: Pick<Evidence, 'm' | 's'>,
): JudgedRule {
  const [rate, tolerance] = {
    intent: [load.intentsPerSecond, 2 * load.players] as const,
    monsterCommand: [load.monsterCommandsPerSecond, 2 * load.commandsPerPost] as const,
  }[op];
  const planned = Math.round(rate * operationalSeconds(stage));
  const facts = m.stages.find(({ name }) => name === stage.name);
  const observed = facts?.operations[op].measured.scheduled ?? null;
  return {
    id: `schedule-kept.${op}.${stage.name}`,
    state: stateOf(
      observed !== null && m.ending.state === 'completed',
      observed !== null && Math.abs(observed - planned) <= tolerance,
    ),
    observed: observed ?? 'never reached',
    ...fixed(`${planned} to within ${tolerance}`),
    advice:
      'the generator did not count all that was due: this is a bug in capbench, please report it with the bundle',
    consequence: 'invalid',
  };
}

/** Of one stage: its own, which then names the stage, or that of the rules. */
function sentLimit(s: Scenario, stage: string): Limit & { readonly limit: number } {
  const own = s.load.stages?.find(({ name }) => name === stage)?.sentPercent;
  if (own === undefined) return limitOf(s.rules, 'sentPercent');
  return { ...limitOf({ ...s.rules, sentPercent: own }, 'sentPercent'), stage };
}

function loadSustained(
  op: Operation,
  stage: string,
  { m, s, figures }: Pick<Evidence, 'm' | 's' | 'figures'>,
): JudgedRule {
  const sentPercent = sentLimit(s, stage);
  const found = figures.stages.find(({ name }) => name === stage);
  const sent = found?.load.sentPercent[op] ?? null;
  // As if all that the generator itself came too late for had been due in this stage.
  const late = lateOnItsOwn(m.operations[op].ownLag, found?.load.operations[op], s.load);
  return {
    id: `load-sustained.${op}.${stage}`,
    state: stateOf(sent !== null, sent !== null && sent >= sentPercent.limit),
    observed: sent ?? (found === undefined ? 'never reached' : 'nothing was due'),
    ...sentPercent,
    advice:
      "the system did not take what was due in this stage: find what is saturated, lower its rate, or say with the stage's sentPercent how much of it may be missed",
    consequence: 'breached',
    ...(sent === null ? {} : { share: { carried: sent + late, least: sentPercent.limit } }),
  };
}
