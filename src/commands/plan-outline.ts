import { audit, nameOf } from '../audit/audit.ts';
import { wrap } from '../report/terminal-text.ts';
import type { Plan } from '../scenario/plan.ts';
import { table } from './table.ts';

/** A line for each check that has its figures, and the figures that none can use. */
export function planLines(plan: Plan | undefined, width: number): readonly string[] {
  if (plan === undefined) return [];
  const { findings, unused } = audit(plan);
  const rows = findings.map((finding) => [
    nameOf(finding),
    finding.state === 'consistent' ? 'ok' : 'CONTRADICTED',
    finding.arithmetic,
  ]);
  const idle = `no check can use ${unused.join(', ')}: the figures to hold against them are not in the plan`;
  return [
    ...table(rows, '  ', width),
    ...(unused.length === 0 ? [] : wrap(idle, width - 2).map((line) => `  ${line}`)),
  ];
}

/** `plan: 24 checks, 15 contradicted`; nothing without a plan. */
export function planCounts(plan: Plan | undefined): readonly string[] {
  if (plan === undefined) return [];
  const { findings } = audit(plan);
  const contradicted = findings.filter(({ state }) => state === 'contradicted').length;
  return [`plan: ${findings.length} checks, ${contradicted} contradicted`];
}

/** The same for `--json`. */
export function planJson(plan: Plan): object {
  const { findings, unused } = audit(plan);
  return { plan: findings, unusedFigures: unused };
}
