import { generatorIsHealthy } from './rules/generator.ts';
import type { JudgedRule } from './rules/rules.ts';
import { sentence } from './rules/sentence.ts';
import type { Ruling } from './ruling.ts';

/** What rules and rulings say together. */
export interface Conclusion {
  /** The generator was. */
  readonly healthy: boolean;
  /** By a budget, or by what the load did not hold. */
  readonly breached: boolean;
  readonly breachedBecause: readonly string[];
  readonly dataLost: boolean;
  readonly invalidBecause: readonly string[];
  /** What is to be known beside a verdict that it cannot change. */
  readonly notes: readonly string[];
}

/** What of a run stands beside its rules and rulings. */
export interface Beside {
  readonly breachedBecause: readonly string[];
  readonly invalidBecause: readonly string[];
  /** It had an end that something can be concluded from. */
  readonly ranOn: boolean;
}

/** @param besideOf told whether the generator was healthy */
export function conclude(
  rules: readonly JudgedRule[],
  rulings: readonly Ruling[],
  besideOf: (healthy: boolean) => Beside,
): Conclusion {
  const healthy = generatorIsHealthy(rules);
  const beside = besideOf(healthy);
  const broken = rules.filter(({ state }) => state === 'broken');
  const because = (wanted: JudgedRule['consequence']): string[] =>
    broken.filter(({ consequence }) => consequence === wanted).map(sentence);

  const unsustained = because('breached-if-healthy');
  const breachedBecause = [
    ...beside.breachedBecause,
    ...because('data-lost'),
    ...(healthy ? unsustained : []),
  ];
  const breached = breachedBecause.length > 0 || rulings.some(({ state }) => state === 'breached');
  const unproven = because('no-pass');
  const invalidBecause = [
    ...beside.invalidBecause,
    ...because('invalid'),
    ...(healthy ? [] : unsustained),
    // A breach needs no proof of what was met.
    ...(breached ? [] : unproven),
  ];
  if (beside.ranOn && !breached && !rulings.some(({ state }) => state === 'met')) {
    invalidBecause.push('no budget was met, and none breached: there is nothing to conclude from');
  }
  return {
    ...{ healthy, breached, breachedBecause, invalidBecause },
    dataLost: broken.some(({ consequence }) => consequence === 'data-lost'),
    notes: [...because('note'), ...(breached ? unproven : [])],
  };
}
