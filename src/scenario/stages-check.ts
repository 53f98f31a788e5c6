import type { Budget } from './budget.ts';
import { type Finding, found, teller } from './finding.ts';
import { nearest } from './nearest.ts';
import type { Path } from './problem.ts';
import { type Churn, lengthOf, type Shaped, type Stage } from './stages.ts';

/** Of a stage. */
const SHORTEST = 100_000;

/** What no key alone can get wrong. */
export function stageFindings({ players, duration: length, stages, churn }: Shaped): readonly Finding[] {
  const findings: Finding[] = [];
  const tell = teller(findings);
  const away = (one: Churn | undefined, path: Path): void => {
    if (one === undefined || one.perSecond * (one.away / 1e6) <= players / 2) return;
    tell(
      [...path, 'perSecond'],
      `${one.perSecond} a second, each away for ${one.away / 1e6} s, expected half of the ${players} players to be there at least`,
      'fewer a second, or a shorter away',
    );
  };
  away(churn, ['load', 'churn']);
  if (stages === undefined) return findings;
  const path = (i: number, key: keyof Stage): Path => ['load', 'stages', i, key];
  for (const [i, one] of stages.entries()) {
    away(one.churn, path(i, 'churn'));
    if (stages.findIndex(({ name }) => name === one.name) < i) {
      tell(path(i, 'name'), `${one.name} is there twice, expected once`);
    }
    if (one.over > one.lasting) {
      tell(path(i, 'over'), `${one.over / 1e6} s, expected at most the ${one.lasting / 1e6} s of the stage`);
    }
    if (one.lasting < SHORTEST) {
      tell(path(i, 'lasting'), `${one.lasting / 1e6} s, expected 0.1 s at least`, 'a longer --duration');
    }
  }
  if (peakRateOf(stages) === 0) {
    tell(['load', 'stages'], 'nothing is ever due, expected a rate above 0 in one of them');
  }
  const sum = lengthOf(stages);
  if (length !== sum) {
    tell(
      ['load', 'duration'],
      `${length / 1e6} s is there beside stages that last ${sum / 1e6} s together, expected the same`,
      'leave load.duration out: the stages are the measure phase; --duration scales them',
    );
  }
  return findings;
}

const peakRateOf = (stages: readonly Stage[]): number => Math.max(...stages.map(({ rate }) => rate));

/** Budgets of a stage that is not there. */
export function budgetStageFindings(
  budgets: readonly Budget[],
  stages: readonly Stage[] | undefined,
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] {
  const names = (stages ?? []).map(({ name }) => name);
  return budgets.flatMap((budget) => {
    if (budget.state !== 'measured' || budget.stage === undefined || names.includes(budget.stage)) return [];
    const meant = nearest(budget.stage, names);
    const known = names.length === 0 ? 'load.stages has none' : `expected one of ${names.join(', ')}`;
    return [
      found(
        [...(paths.get(budget.id) ?? ['budgets']), 'stage'],
        `${budget.stage} is no stage of this load; ${known}`,
        meant === undefined ? null : `did you mean ${meant}?`,
      ),
    ];
  });
}

/** What is measured of those who come back alone. */
const OF_RETURNS = new Set(['network.fullStrengthMs', 'network.connectMs', 'network.reconnectMs']);

/** Budgets on how players come back in a stage in which none do: without data after every run. */
export function budgetReturnFindings(
  budgets: readonly Budget[],
  { load: { stages = [], churn }, faults }: { readonly load: Shaped; readonly faults: readonly unknown[] },
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] {
  const cut = stages.filter(({ reconnect }) => reconnect !== undefined).map(({ name }) => name);
  const leaves = (one: Churn | undefined): boolean => one !== undefined && one.perSecond > 0;
  // Who was cut off, or left, in a stage may come back in a later one.
  const returns = (until: number): boolean =>
    faults.length > 0 ||
    leaves(churn) ||
    stages.slice(0, until + 1).some((one) => one.reconnect !== undefined || leaves(one.churn));
  return budgets.flatMap((budget) => {
    if (budget.state !== 'measured' || !OF_RETURNS.has(budget.metric.path)) return [];
    const { path } = budget.metric;
    const index = stages.findIndex(({ name }) => name === budget.stage);
    if (index < 0) return [];
    const isMeasured =
      path === 'network.fullStrengthMs' ? stages[index]?.reconnect !== undefined : returns(index);
    if (isMeasured) return [];
    const others = cut.length === 0 ? '' : `, or name one that has it: ${cut.join(', ')}`;
    return [
      found(
        [...(paths.get(budget.id) ?? ['budgets']), 'stage'],
        `${budget.stage} has no reconnect: ${path} of it is never measured`,
        `give the stage a reconnect: { sharePercent: 100 }${others}`,
      ),
    ];
  });
}
