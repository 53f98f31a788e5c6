import type { z } from 'zod';
import type { RulingState } from '../judge/ruling.ts';
import type { Budget } from '../scenario/budget.ts';
import { type Claim, type ClaimDocument, PROOFS, type Proof } from '../scenario/claims.ts';
import type { ReportRuling } from './report.ts';
import type { ruledReportSchema } from './report-schema.ts';

/** What is read of a report.json. */
export type RuledReport = Readonly<z.output<typeof ruledReportSchema>>;

/** A run whose bundle was read. */
export interface ClaimRun extends Omit<RuledReport, 'schemaVersion' | 'system'> {
  readonly system: string;
  /** The folder of the bundle, as it is shown. */
  readonly bundle: string;
}

/** A scenario that comes with capbench: what it says of claims before any run. */
export interface ClaimScenario {
  readonly name: string;
  readonly system: string;
  readonly budgets: readonly Budget[];
}

/**
 * Why a claim is unmeasured: no scenario names it, none that does was run, or no run had a conclusion, was of the documented
 * stack, or had a figure with which it could be ruled.
 */
const GAPS = ['in no scenario', 'never run', 'no conclusion', 'another stack', 'no figure'] as const;
export type Gap = (typeof GAPS)[number];

/** What became of one claim. */
export interface ClaimFinding {
  readonly claim: Claim;
  readonly state: RulingState;
  /** The ruling that decided; null where no run did, but what scenarios say without one. */
  readonly ruling: ReportRuling | null;
  readonly run: ClaimRun | null;
  /** Why, for everything but a plain `met` or `breached`. */
  readonly reason: string | null;
  /** Null for everything but `unmeasured`. */
  readonly gap: Gap | null;
  /** The other runs and scenarios that say something else of it, and no less than contradicted. */
  readonly others: readonly OtherRuling[];
  /** The shipped scenarios that name the claim. */
  readonly scenarios: readonly string[];
}

/** What another run, or a scenario without one, says of a claim. */
interface OtherRuling {
  readonly state: RulingState;
  readonly scenario: string;
  readonly ruling: ReportRuling | null;
}

export type ClaimCounts = Readonly<Record<RulingState, number>> & { readonly all: number };

/** A document, and what became of all of its claims. */
export interface DocumentFindings extends Omit<ClaimDocument, 'claims'> {
  readonly findings: readonly ClaimFinding[];
  readonly counts: ClaimCounts;
  /** By kind of proof; kinds of which the document has no claim are left out. */
  readonly byProof: ReadonlyMap<Proof, ClaimCounts>;
  /** Why the unmeasured ones are; reasons that none of them has are left out. */
  readonly gaps: ReadonlyMap<Gap, number>;
  /** The ids that a run would have to rule, and no shipped scenario names. */
  readonly inNoScenario: readonly string[];
}

/** The first counts before the others, where several runs and scenarios rule the same claim. */
const PRECEDENCE: readonly RulingState[] = ['breached', 'contradicted', 'met', 'unmeasured', 'untestable'];

/** What only a run can rule. */
const OF_A_RUN: ReadonlySet<Proof> = new Set(['measure', 'chaos']);

/** Why a run rules nothing; null where it rules claims. */
export function standingOf({
  outcome,
  altered,
  tier,
}: Pick<ClaimRun, 'outcome' | 'altered' | 'tier'>): Gap | null {
  if (outcome === 'invalid') return 'no conclusion';
  if (tier !== undefined) return 'another stack';
  return altered.every((change) => /^load[.=]/.test(change)) ? null : 'another stack';
}

/** Whether another load or stack was run than the scenario's file says. */
export const isAltered = ({ altered, load }: Pick<ClaimRun, 'altered' | 'load'>): boolean =>
  altered.length > 0 || load.scale !== 1;

/**
 * The runs that count, by scenario (its name and system): the newest that rules claims, with the load of the scenario's file where there is
 * one; and beside it, where it is another, the newest of all, so that what has passed since is seen.
 */
export function newestRuns(runs: readonly ClaimRun[]): readonly ClaimRun[] {
  const byScenario = new Map<string, ClaimRun[]>();
  const inOrder = runs.toSorted((a, b) => order(b.startedAt, a.startedAt) || order(b.bundle, a.bundle));
  for (const run of inOrder) byScenario.set(nameOf(run), [...(byScenario.get(nameOf(run)) ?? []), run]);
  return [...byScenario.keys()].toSorted(order).flatMap((name) => {
    const own = byScenario.get(name) ?? [];
    const ruling = own.filter((run) => standingOf(run) === null);
    const counting = ruling.find((run) => !isAltered(run)) ?? ruling[0];
    return [...new Set([counting, own[0]])].flatMap((run) => (run === undefined ? [] : [run]));
  });
}

/** Whether a run is the one of its scenario that counts, of those that `newestRuns` gave. */
export const isCounted = (run: ClaimRun, runs: readonly ClaimRun[]): boolean =>
  standingOf(run) === null && runs.find((one) => nameOf(one) === nameOf(run)) === run;

/** Scenarios of two systems may have the same name. */
const nameOf = ({ system, scenario }: Pick<ClaimRun, 'system' | 'scenario'>): string =>
  `${scenario} ${system}`;

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Pure: documents, shipped scenarios and the newest runs in, a finding for each claim out. */
export function documentFindings(
  documents: readonly ClaimDocument[],
  scenarios: readonly ClaimScenario[],
  runs: readonly ClaimRun[],
): readonly DocumentFindings[] {
  const systems = new Map(
    documents.flatMap(({ system, claims }) => claims.map(({ id }) => [id, system] as const)),
  );
  const counted = runs.filter((run) => isCounted(run, runs));
  const ruled = rulingsOf(counted, systems);
  const stated = statementsOf(scenarios);
  return documents.map(({ claims, ...document }) => {
    const findings = claims.map((claim) =>
      findingOf(claim, stated.get(claim.id) ?? [], ruled.get(claim.id) ?? [], counted, runs),
    );
    const byProof = PROOFS.flatMap((proof) => {
      const own = findings.filter((one) => one.claim.verify === proof);
      return own.length === 0 ? [] : [[proof, countsOf(own)] as const];
    });
    return {
      ...document,
      ...{ findings, counts: countsOf(findings), byProof: new Map(byProof), gaps: gapsOf(findings) },
      inNoScenario: findings.flatMap(({ claim, scenarios: named }) =>
        named.length === 0 && OF_A_RUN.has(claim.verify) ? [claim.id] : [],
      ),
    };
  });
}

/** What may decide a claim. */
type Candidate = Pick<ClaimFinding, 'state' | 'ruling' | 'run' | 'reason' | 'gap'> & {
  readonly scenario: string;
};

/**
 * The rulings of the runs that count by claim, the newest first.
 * A server of another system than the claim's says nothing about it.
 */
function rulingsOf(
  runs: readonly ClaimRun[],
  systems: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly Candidate[]> {
  const found = new Map<string, Candidate[]>();
  for (const run of runs.toSorted((a, b) => order(b.startedAt, a.startedAt))) {
    for (const ruling of run.rulings) {
      if (ruling.claim === null || run.system !== systems.get(ruling.claim)) continue;
      const { state, reason } = ruling;
      const gap = state === 'unmeasured' ? 'no figure' : null;
      const candidate = { state, ruling, run, reason, gap, scenario: run.scenario } as const;
      found.set(ruling.claim, [...(found.get(ruling.claim) ?? []), candidate]);
    }
  }
  return found;
}

interface Statement {
  readonly scenario: string;
  readonly system: string;
  readonly budget: Budget;
}

function statementsOf(scenarios: readonly ClaimScenario[]): ReadonlyMap<string, readonly Statement[]> {
  const found = new Map<string, Statement[]>();
  for (const { name, system, budgets } of scenarios) {
    for (const budget of budgets) {
      if (budget.claim === null) continue;
      found.set(budget.claim, [...(found.get(budget.claim) ?? []), { scenario: name, system, budget }]);
    }
  }
  return found;
}

function findingOf(
  claim: Claim,
  stated: readonly Statement[],
  ruled: readonly Candidate[],
  counted: readonly ClaimRun[],
  runs: readonly ClaimRun[],
): ClaimFinding {
  const scenarios = [...new Set(stated.map(({ scenario }) => scenario))];
  // What a run has ruled, its scenario has no more to say about: but a contradiction found since then stands.
  const unruled = stated.filter(
    ({ scenario, budget }) =>
      !ruled.some(
        (one) => one.scenario === scenario && (one.state === 'contradicted' || !isDisputed(budget)),
      ),
  );
  const candidates = [...ruled, ...unruled.map((statement) => withoutRun(statement, counted, runs))];
  const state = PRECEDENCE.find((one) => candidates.some((candidate) => candidate.state === one));
  const [first, ...rest] = candidates.filter((one) => one.state === state);
  if (first === undefined) {
    const reason = 'no scenario of capbench rules it, and no run did';
    const nothing = { ruling: null, run: null, others: [] };
    return { claim, state: 'unmeasured', ...nothing, reason, gap: 'in no scenario', scenarios };
  }
  // Why there was no run is said for each scenario that could have ruled the claim.
  const reasons = [first, ...rest].flatMap(({ run, reason }) => (run === null && reason ? [reason] : []));
  const { scenario: _, ...deciding } = first;
  return {
    ...{ claim, ...deciding, scenarios, reason: first.run === null ? joined(reasons) : first.reason },
    others: candidates
      .filter((one) => one.state !== state && OPINIONS.has(one.state))
      .map(({ state: other, scenario, ruling }) => ({ state: other, scenario, ruling })),
  };
}

/** The states that say something of the promise itself. */
const OPINIONS: ReadonlySet<RulingState> = new Set(['met', 'breached', 'contradicted']);

const joined = (reasons: readonly string[]): string | null =>
  reasons.length === 0 ? null : [...new Set(reasons)].join('; ');

const isDisputed = (budget: Budget): boolean => budget.state !== 'untestable' && budget.contradicted !== null;

/** What a scenario says of a claim that no run of it has ruled. */
function withoutRun(
  statement: Statement,
  counted: readonly ClaimRun[],
  runs: readonly ClaimRun[],
): Candidate {
  const { scenario, budget } = statement;
  const isOfIt = (run: ClaimRun): boolean => nameOf(run) === nameOf(statement);
  const of = (state: RulingState, reason: string, gap: Gap | null = null): Candidate => ({
    ...{ state, ruling: null, run: null, reason, gap, scenario },
  });
  if (budget.state === 'untestable') return of('untestable', budget.missing);
  if (budget.contradicted !== null) return of('contradicted', budget.contradicted);
  if (counted.some(isOfIt)) return of('unmeasured', `the run of ${scenario} did not rule it`, 'no figure');
  const run = runs.find(isOfIt);
  if (run === undefined) return of('unmeasured', `${scenario} was never run`, 'never run');
  return standingOf(run) === 'no conclusion'
    ? of('unmeasured', `the last run of ${scenario} had no conclusion (${run.exitCode})`, 'no conclusion')
    : of('unmeasured', `the last run of ${scenario} was of another stack`, 'another stack');
}

function gapsOf(findings: readonly ClaimFinding[]): ReadonlyMap<Gap, number> {
  const counts = GAPS.map((gap) => [gap, findings.filter((one) => one.gap === gap).length] as const);
  return new Map(counts.filter(([, count]) => count > 0));
}

function countsOf(findings: readonly ClaimFinding[]): ClaimCounts {
  const counts = { all: findings.length, met: 0, breached: 0, contradicted: 0, unmeasured: 0, untestable: 0 };
  for (const { state } of findings) counts[state] += 1;
  return counts;
}
