import { type Figure, figuresIn, type Plan } from '../scenario/plan.ts';
import { CHECKS } from './checks.ts';

/** What one check found about one subject of a plan. */
export interface AuditFinding {
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
  /** The keys of figures that no check could use, for want of others. */
  readonly unused: readonly string[];
}

/** `pools: PostgreSQL` */
export const nameOf = ({ check, subject }: AuditFinding): string =>
  subject === '' ? check : `${check}: ${subject}`;

const claimsOf = (figures: readonly (Figure | undefined)[]): readonly string[] => [
  ...new Set(figures.flatMap((figure) => figure?.claims ?? [])),
];

/** Holds the figures of a plan against each other. A check whose figures the plan does not give says nothing. */
export function audit(plan: Plan): Audit {
  const used = new Set<Figure | undefined>();
  const findings = CHECKS.flatMap(({ id, title, rule }) =>
    rule(plan).map(({ subject, holds, arithmetic, figures, disputes }): AuditFinding => {
      for (const figure of figures) used.add(figure);
      return {
        ...{ check: id, title, subject, state: holds ? 'consistent' : 'contradicted', arithmetic },
        claims: claimsOf(figures),
        disputed: holds ? [] : claimsOf(disputes),
      };
    }),
  );
  const unused = figuresIn(plan).flatMap(([path, figure]) => (used.has(figure) ? [] : [path]));
  return { findings, unused };
}

/** By claim: the checks that contradict it, with their arithmetic. */
export function disputesOf(plan: Plan): ReadonlyMap<string, string> {
  const disputes = new Map<string, string>();
  for (const finding of audit(plan).findings)
    for (const id of finding.disputed) {
      const earlier = disputes.get(id);
      const reason = `${nameOf(finding)}: ${finding.arithmetic}`;
      disputes.set(id, earlier === undefined ? reason : `${earlier}; ${reason}`);
    }
  return disputes;
}
