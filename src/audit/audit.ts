import type { OwnFigures } from '../scenario/own-figures.ts';
import { type Figure, figuresIn, type Plan } from '../scenario/plan.ts';
import { CHECKS } from './checks.ts';
import { withLacking } from './lacking.ts';

/** What one check found about one subject of a plan. */
interface AuditFinding {
  /** The id of the check. */
  readonly check: string;
  readonly title: string;
  /** Which entry of the plan; empty for a check that the plan has once. */
  readonly subject: string;
  readonly state: 'consistent' | 'contradicted';
  /** On one line, with every number and unit. */
  readonly arithmetic: string;
  /** The claims whose figures took part. */
  readonly claims: readonly string[];
  /** Of these, the ones that the others contradict; empty where it is consistent. */
  readonly disputed: readonly string[];
}

interface Audit {
  readonly findings: readonly AuditFinding[];
  /** The keys of figures that no check could use, for want of others, and of disputes about no finding. */
  readonly unused: readonly string[];
  /** The same, each with what a check lacks that could use it. */
  readonly lacking: readonly string[];
}

/** `pools: PostgreSQL` */
export const nameOf = ({ check, subject }: Pick<AuditFinding, 'check' | 'subject'>): string =>
  subject === '' ? check : `${check}: ${subject}`;

const claimsOf = (figures: readonly (Figure | undefined)[]): readonly string[] => [
  ...new Set(figures.flatMap((figure) => figure?.claims ?? [])),
];

/** A scenario's own figures where its plan does not give them. */
const completed = (plan: Plan, own: OwnFigures): Plan => ({
  ...plan,
  load: { ...own.load, ...plan.load },
  database: { ...own.database, ...plan.database },
});

/** Holds the figures of a plan against each other. A check whose figures are not there says nothing. */
export function audit(plan: Plan, own: OwnFigures): Audit {
  const all = completed(plan, own);
  const used = new Set<Figure | undefined>();
  const findings = CHECKS.flatMap(({ id, title, rule }) =>
    rule(all).map(({ subject, holds, arithmetic, figures, disputes }): AuditFinding => {
      for (const figure of figures) used.add(figure);
      const also = plan.disputes?.[nameOf({ check: id, subject })] ?? [];
      return {
        ...{ check: id, title, subject, state: holds ? 'consistent' : 'contradicted', arithmetic },
        claims: [...new Set([...claimsOf(figures), ...also])],
        disputed: holds ? [] : [...new Set([...claimsOf(disputes), ...also])],
      };
    }),
  );
  const names = new Set(findings.map(nameOf));
  const unused = [
    ...figuresIn(plan).flatMap(([path, figure]) => (used.has(figure) ? [] : [path])),
    ...Object.keys(plan.disputes ?? {}).flatMap((name) => (names.has(name) ? [] : [`plan.disputes.${name}`])),
  ];
  return { findings, unused, lacking: unused.map((path) => withLacking(path, all, CHECKS)) };
}

/** By claim: the checks that contradict it, with their arithmetic. */
export function disputesOf(plan: Plan, own: OwnFigures): ReadonlyMap<string, string> {
  const disputes = new Map<string, string>();
  for (const finding of audit(plan, own).findings)
    for (const id of finding.disputed) {
      const earlier = disputes.get(id);
      const reason = `${nameOf(finding)}: ${finding.arithmetic}`;
      disputes.set(id, earlier === undefined ? reason : `${earlier}; ${reason}`);
    }
  return disputes;
}
