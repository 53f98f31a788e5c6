import type { z } from 'zod';
import type { RulingState } from '../judge/ruling.ts';
import type { Budget } from '../scenario/budget.ts';
import { type Claim, type ClaimDocument, PROOFS, type Proof } from '../scenario/claims.ts';
import type { ReportRuling } from './report.ts';
import type { ruledReportSchema } from './report-schema.ts';

/** What is read of a report.json. */
export type RuledReport = Readonly<z.output<typeof ruledReportSchema>>;

/** A run whose bundle was read. */
export interface ClaimRun extends Omit<RuledReport, 'schemaVersion'> {
  /** The folder of the bundle, as it is shown. */
  readonly bundle: string;
}

/** A scenario that comes with capbench: what it says of claims before any run. */
export interface ClaimScenario {
  readonly name: string;
  readonly budgets: readonly Budget[];
}

/** What became of one claim. */
export interface ClaimFinding {
  readonly claim: Claim;
  readonly state: RulingState;
  /** The ruling that decided; null where no run did, but what scenarios say without one. */
  readonly ruling: ReportRuling | null;
  readonly run: ClaimRun | null;
  /** Why, for everything but a plain `met` or `breached`. */
  readonly reason: string | null;
  /** The shipped scenarios that name the claim. */
  readonly scenarios: readonly string[];
}

export type ClaimCounts = Readonly<Record<RulingState, number>> & { readonly all: number };

/** A document, and what became of all of its claims. */
export interface DocumentFindings extends Omit<ClaimDocument, 'claims'> {
  readonly findings: readonly ClaimFinding[];
  readonly counts: ClaimCounts;
  /** By kind of proof; kinds of which the document has no claim are left out. */
  readonly byProof: ReadonlyMap<Proof, ClaimCounts>;
  /** The ids that a run would have to rule, and no shipped scenario names. */
  readonly inNoScenario: readonly string[];
}

/** The first counts before the others, where several runs and scenarios rule the same claim. */
const PRECEDENCE: readonly RulingState[] = ['breached', 'met', 'contradicted', 'unmeasured', 'untestable'];

/** What only a run can rule. */
const OF_A_RUN: ReadonlySet<Proof> = new Set(['measure', 'chaos']);

/** The newest run of each scenario, by name: the runs whose rulings count, unless they had no conclusion. */
export function newestRuns(runs: readonly ClaimRun[]): readonly ClaimRun[] {
  const newest = new Map<string, ClaimRun>();
  const inOrder = runs.toSorted((a, b) => order(a.startedAt, b.startedAt) || order(a.bundle, b.bundle));
  for (const run of inOrder) newest.set(run.scenario, run);
  return [...newest.values()].toSorted((a, b) => order(a.scenario, b.scenario));
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A run without a conclusion rules nothing. */
export const isConclusive = ({ outcome }: Pick<ClaimRun, 'outcome'>): boolean => outcome !== 'invalid';

/** Whether another load or stack was run than the scenario's file says. */
export const isAltered = ({ altered, load }: Pick<ClaimRun, 'altered' | 'load'>): boolean =>
  altered.length > 0 || load.scale !== 1;

/** Pure: documents, shipped scenarios and the newest runs in, a finding for each claim out. */
export function documentFindings(
  documents: readonly ClaimDocument[],
  scenarios: readonly ClaimScenario[],
  runs: readonly ClaimRun[],
): readonly DocumentFindings[] {
  const systems = new Map(
    documents.flatMap(({ system, claims }) => claims.map(({ id }) => [id, system] as const)),
  );
  const ruled = rulingsOf(runs, systems);
  const stated = statementsOf(scenarios);
  return documents.map(({ claims, ...document }) => {
    const findings = claims.map((claim) => findingOf(claim, stated.get(claim.id), ruled.get(claim.id), runs));
    const byProof = PROOFS.flatMap((proof) => {
      const own = findings.filter((one) => one.claim.verify === proof);
      return own.length === 0 ? [] : [[proof, countsOf(own)] as const];
    });
    return {
      ...document,
      ...{ findings, counts: countsOf(findings), byProof: new Map(byProof) },
      inNoScenario: findings.flatMap(({ claim, scenarios: named }) =>
        named.length === 0 && OF_A_RUN.has(claim.verify) ? [claim.id] : [],
      ),
    };
  });
}

/** What may decide a claim. */
type Candidate = Pick<ClaimFinding, 'state' | 'ruling' | 'run' | 'reason'>;

/**
 * The rulings of conclusive runs by claim, the newest first. A server of another system than the claim's says nothing about it;
 * reports of earlier versions do not name their system.
 */
function rulingsOf(
  runs: readonly ClaimRun[],
  systems: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly Candidate[]> {
  const found = new Map<string, Candidate[]>();
  for (const run of runs.toSorted((a, b) => order(b.startedAt, a.startedAt))) {
    if (!isConclusive(run)) continue;
    for (const ruling of run.rulings) {
      if (ruling.claim === null || (run.system ?? systems.get(ruling.claim)) !== systems.get(ruling.claim))
        continue;
      const { state, reason } = ruling;
      found.set(ruling.claim, [...(found.get(ruling.claim) ?? []), { state, ruling, run, reason }]);
    }
  }
  return found;
}

interface Statement {
  readonly scenario: string;
  readonly budget: Budget;
}

function statementsOf(scenarios: readonly ClaimScenario[]): ReadonlyMap<string, readonly Statement[]> {
  const found = new Map<string, Statement[]>();
  for (const { name, budgets } of scenarios) {
    for (const budget of budgets) {
      if (budget.claim === null) continue;
      found.set(budget.claim, [...(found.get(budget.claim) ?? []), { scenario: name, budget }]);
    }
  }
  return found;
}

function findingOf(
  claim: Claim,
  stated: readonly Statement[] = [],
  ruled: readonly Candidate[] = [],
  runs: readonly ClaimRun[],
): ClaimFinding {
  const scenarios = [...new Set(stated.map(({ scenario }) => scenario))];
  // What a run has ruled, its scenario has no more to say about.
  const others = stated.filter(({ scenario }) => !ruled.some(({ run }) => run?.scenario === scenario));
  const candidates = [...ruled, ...others.map((statement) => withoutRun(statement, runs))];
  for (const state of PRECEDENCE) {
    const [first, ...rest] = candidates.filter((one) => one.state === state);
    if (first === undefined) continue;
    // Why there was no run is said for each scenario that could have ruled the claim.
    const reasons = [first, ...rest].flatMap(({ run, reason }) => (run === null && reason ? [reason] : []));
    return { claim, ...first, scenarios, reason: first.run === null ? joined(reasons) : first.reason };
  }
  const reason = 'in no scenario';
  return { claim, state: 'unmeasured', ruling: null, run: null, reason, scenarios };
}

const joined = (reasons: readonly string[]): string | null =>
  reasons.length === 0 ? null : [...new Set(reasons)].join('; ');

/** What a scenario says of a claim that no run of it has ruled. */
function withoutRun({ scenario, budget }: Statement, runs: readonly ClaimRun[]): Candidate {
  const of = (state: RulingState, reason: string): Candidate => ({ state, ruling: null, run: null, reason });
  if (budget.state === 'untestable') return of('untestable', budget.missing);
  if (budget.contradicted !== null) return of('contradicted', budget.contradicted);
  const run = runs.find((one) => one.scenario === scenario);
  if (run === undefined) return of('unmeasured', `no run of ${scenario}`);
  return of(
    'unmeasured',
    isConclusive(run)
      ? `the last run of ${scenario} did not rule it`
      : `the last run of ${scenario} had no conclusion (${run.exitCode})`,
  );
}

function countsOf(findings: readonly ClaimFinding[]): ClaimCounts {
  const counts = { all: findings.length, met: 0, breached: 0, contradicted: 0, unmeasured: 0, untestable: 0 };
  for (const { state } of findings) counts[state] += 1;
  return counts;
}
