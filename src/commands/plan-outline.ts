import { audit, nameOf } from '../audit/audit.ts';
import { wrap } from '../report/terminal-text.ts';
import { ownFigures } from '../scenario/own-figures.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { table } from './table.ts';

type Audited = ReturnType<typeof audit> | null;

/** What the checks find in the plan of a scenario; null without one. */
export const auditOf = (scenario: Scenario): Audited =>
  scenario.plan === undefined ? null : audit(scenario.plan, ownFigures(scenario));

/** A line for each check that has its figures, and the figures that none can use. */
export function planLines(audited: Audited, width: number): readonly string[] {
  if (audited === null) return [];
  const { findings, lacking } = audited;
  const rows = findings.map((finding) => [
    nameOf(finding),
    finding.state === 'consistent' ? 'ok' : 'CONTRADICTED',
    finding.arithmetic,
  ]);
  const idle = `no check can use ${lacking.join(', ')}: the figures to hold against them are not in the plan`;
  return [
    ...table(rows, '  ', width),
    ...(lacking.length === 0 ? [] : wrap(idle, width - 2).map((line) => `  ${line}`)),
  ];
}

/** `plan: 24 checks, 15 contradicted`; nothing without a plan. */
export function planCounts(audited: Audited): readonly string[] {
  if (audited === null) return [];
  const { findings } = audited;
  const contradicted = findings.filter(({ state }) => state === 'contradicted').length;
  return [`plan: ${findings.length} checks, ${contradicted} contradicted`];
}

/** The same for `--json`; no keys without a plan. */
export const planJson = (audited: Audited): object =>
  audited === null ? {} : { plan: audited.findings, unusedFigures: audited.unused };
