import type { z } from 'zod';
import { comparableUnits, conversion } from '../units.ts';
import {
  type Budget,
  type MeasuredBudget,
  type Metric,
  type MetricReader,
  type Metrics,
  metricAt,
  type Operator,
  SELECTED,
} from './budget.ts';
import { type Claim, type Claims, metricUnitOf } from './claims.ts';
import { type Finding, findingAt, reporter } from './finding.ts';
import { LIMIT_FIGURES, LIMIT_ROOM } from './limit-metric.ts';
import { nearest, nearestPath } from './nearest.ts';
import { OUTAGE_FIGURES, OUTAGE_ROOM } from './outage-metric.ts';
import { type Path, shown } from './problem.ts';
import { PROCESS_FIGURES, PROCESS_ROOM } from './process-metric.ts';
import type { budgetSchema, contradictedSchema, untestableSchema } from './sections.ts';

/** The three lists of a scenario that make its budgets; an invalid element is undefined. */
interface BudgetLists {
  readonly budgets: Elements<typeof budgetSchema>;
  readonly contradicted: Elements<typeof contradictedSchema>;
  readonly untestable: Elements<typeof untestableSchema>;
}
type BudgetEntry = z.output<typeof budgetSchema>;
type Elements<S extends z.ZodType> = readonly (z.output<S> | undefined)[];

const NONE: ReadonlyMap<string, string> = new Map();

/**
 * Looks up the claims and checks each budget by itself; checkBudgets checks the metrics.
 * @param disputes by claim: the arithmetic with which the scenario's plan contradicts it. What the scenario says of a claim
 *   itself, under `contradicted` or `untestable`, stays; a claim without a budget becomes one.
 */
export function readBudgets(
  lists: BudgetLists,
  claims: Claims,
  readMetric: MetricReader,
  disputes: ReadonlyMap<string, string> = NONE,
) {
  const budgets: Budget[] = [];
  const findings: Finding[] = [];
  const report = reporter(findings);
  const firstAt = new Map<string, Path>();

  const keep = (budget: Budget, path: Path): void => {
    const first = firstAt.get(budget.id);
    if (first === undefined) {
      firstAt.set(budget.id, path);
      budgets.push(budget);
    } else {
      report(
        path,
        `${budget.id} is used twice (first at ${first.join('.')}), expected once`,
        'remove one, or rename it',
      );
    }
  };
  const disputed = (claim: Claim | undefined): string | null =>
    claim === undefined ? null : (disputes.get(claim.id) ?? null);
  const lookUp = (id: string, path: Path): Claim | undefined => {
    const claim = claims.get(id);
    if (claim === undefined) {
      const meant = nearest(id, [...claims.keys()]);
      report(
        path,
        `got ${shown(id)}, expected the id of a claim in fixtures/claims.json`,
        meant === undefined ? 'a budget of your own has id: instead of claim:' : `did you mean ${meant}?`,
      );
    }
    return claim;
  };

  for (const [i, entry] of lists.budgets.entries()) {
    if (entry === undefined) continue;
    const path: Path = ['budgets', i];
    const before = findings.length;
    const claim = entry.claim === undefined ? undefined : lookUp(entry.claim, [...path, 'claim']);
    if (entry.claim !== undefined && claim === undefined) continue;
    findings.push(...(claim === undefined ? ownFindings(entry, path) : claimFindings(entry, claim, path)));
    const { op, limit, metric } = { op: claim?.operator, limit: claim?.value, ...defined(entry) };
    if (op !== undefined && limit !== undefined) findings.push(...limitFindings(op, limit, path));
    if (metric === undefined) {
      report([...path, 'metric'], 'got nothing, expected a path in report.json; capbench metrics lists them');
    }
    if (findings.length > before || op === undefined || limit === undefined || metric === undefined) continue;
    // An entry's own limit is in its own unit, if it has one.
    const unit =
      (entry.limit === undefined ? claim?.unit : (entry.unit ?? claim?.unit)) ?? entry.unit ?? 'text';
    keep(
      {
        state: 'measured',
        id: claim?.id ?? entry.id ?? '',
        claim: claim?.id ?? null,
        title: `${entry.stage === undefined ? '' : `${entry.stage}: `}${titleOf(entry, claim, metric)}`,
        op,
        limit,
        unit,
        condition: claim?.condition ?? entry.condition ?? null,
        source: claim?.source ?? null,
        metric: readMetric(metric, entry.stat ?? null),
        stat: entry.stat ?? null,
        metricUnit: entry.unit ?? metricUnitOf(unit) ?? unit,
        fullLoad: entry.fullLoad,
        contradicted: entry.contradicted ?? disputed(claim),
        ...(entry.stage === undefined ? {} : { stage: entry.stage }),
        // Absent rather than false, so that the hash of a scenario without it stays the same.
        ...(entry.optional === true ? { optional: true } : {}),
      },
      path,
    );
  }
  for (const [i, group] of lists.contradicted.entries()) {
    for (const [j, id] of group?.claims.entries() ?? []) {
      const path: Path = ['contradicted', i, 'claims', j];
      const claim = lookUp(id, path);
      if (group === undefined || claim === undefined) continue;
      keep({ ...ofClaim(claim), state: 'contradicted', contradicted: group.why }, path);
    }
  }
  for (const [i, group] of lists.untestable.entries()) {
    for (const [j, id] of group?.claims.entries() ?? []) {
      const path: Path = ['untestable', i, 'claims', j];
      const claim = lookUp(id, path);
      if (group === undefined || claim === undefined) continue;
      keep({ ...ofClaim(claim), state: 'untestable', missing: group.missing }, path);
    }
  }
  for (const [id, contradicted] of disputes) {
    const claim = claims.get(id);
    if (claim !== undefined && !firstAt.has(id))
      keep({ ...ofClaim(claim), state: 'contradicted', contradicted }, ['plan']);
  }
  return { budgets, paths: firstAt, findings };
}

const ofClaim = (claim: Claim) => ({
  id: claim.id,
  claim: claim.id,
  title: claim.quantity,
  op: claim.operator,
  limit: claim.value,
  unit: claim.unit,
  condition: claim.condition,
  source: claim.source,
});

function titleOf({ title, stat, reading }: BudgetEntry, claim: Claim | undefined, metric: string): string {
  if (claim === undefined) return title ?? (stat === undefined ? metric : `${metric} ${stat}`);
  return reading === undefined ? claim.quantity : `${claim.quantity} (${reading})`;
}

/** The keys of an entry that are set, to be spread over a claim. */
function defined({ op, limit, metric }: BudgetEntry) {
  return {
    ...(op === undefined ? {} : { op }),
    ...(limit === undefined ? {} : { limit }),
    ...(metric === undefined ? {} : { metric }),
  };
}

function ownFindings(entry: BudgetEntry, path: Path): readonly Finding[] {
  if (entry.id === undefined) {
    return [
      findingAt(
        path,
        'got neither claim nor id, expected a documented claim, or an id for a budget of your own',
      ),
    ];
  }
  const findings: Finding[] = [];
  const report = reporter(findings);
  if (entry.op === undefined) report([...path, 'op'], 'got nothing, expected an operator such as <');
  if (entry.limit === undefined) report([...path, 'limit'], 'got nothing, expected a limit');
  if (entry.unit === undefined && typeof entry.limit !== 'string') {
    report([...path, 'unit'], "got nothing, expected the limit's unit such as ms");
  }
  if (entry.reading !== undefined) {
    report([...path, 'reading'], 'got a reading, expected one only for a documented claim', 'use title');
  }
  return findings;
}

function claimFindings(entry: BudgetEntry, claim: Claim, path: Path): readonly Finding[] {
  const findings: Finding[] = [];
  const report = reporter(findings);
  for (const key of ['id', 'title', 'condition'] as const) {
    if (entry[key] !== undefined) {
      report([...path, key], `got ${shown(entry[key])}, expected nothing: it comes from ${claim.id}`);
    }
  }
  if (entry.optional !== undefined) {
    report(
      [...path, 'optional'],
      `got ${entry.optional}, expected it only for a budget of your own`,
      'a documented claim without a figure is unmeasured and does not affect the verdict',
    );
  }
  const differs = entry.op !== undefined || entry.limit !== undefined;
  if (differs && entry.reading === undefined) {
    const key = entry.op === undefined ? 'limit' : 'op';
    report(
      [...path, key],
      `got ${shown(entry[key])} beside ${claim.id}, which has ${claim.operator} ${shownLimit(claim.value)}`,
      'remove it, or give the reason with reading:',
    );
  }
  if (entry.unit === undefined && metricUnitOf(claim.unit) === undefined) {
    report(
      [...path, 'unit'],
      `got nothing, expected the unit to compare with: "${claim.unit}" of ${claim.id} has no counterpart among the metrics`,
    );
  }
  return findings;
}

const shownLimit = (limit: Claim['value']): string =>
  typeof limit === 'object' ? `[${limit.join(', ')}]` : String(limit);

/** Checks that the limit fits the operator. */
function limitFindings(op: Operator, limit: Claim['value'], path: Path): readonly Finding[] {
  const at: Path = [...path, 'limit'];
  const wrong = (expected: string, hint: string | null = null) => [
    findingAt(
      at,
      `got ${typeof limit === 'object' ? shownLimit(limit) : shown(limit)}, expected ${expected}`,
      hint,
    ),
  ];
  if (op === 'between') {
    if (typeof limit !== 'object') return wrong('[low, high] for between');
    return limit[0] <= limit[1] ? [] : wrong('[low, high] with the lower one first');
  }
  if (op === 'is')
    return typeof limit === 'string' ? [] : wrong('text for is', 'quote it, or use = for a number');
  return typeof limit === 'number'
    ? []
    : wrong(
        `a number for ${op}`,
        typeof limit === 'string' ? 'to compare a text, write op: is' : 'for a range, write op: between',
      );
}

/** The budgets whose metric, statistic, unit or limit is wrong; empty when all can be judged. */
export function checkBudgets(budgets: readonly Budget[], metrics: Metrics) {
  return budgets.flatMap((budget) => {
    const message = budget.state === 'measured' ? problemOf(budget, metrics) : null;
    return message === null ? [] : [{ id: budget.id, message }];
  });
}

function problemOf(budget: MeasuredBudget, metrics: Metrics): string | null {
  const { path } = budget.metric;
  const metric = metricAt(metrics, path, budget.stat);
  if (metric === undefined) {
    if (path.startsWith(`${PROCESS_ROOM}.`)) {
      return `metric "${path}" is not a figure of a process, expected ${PROCESS_ROOM}.<name> and one of ${Object.keys(PROCESS_FIGURES).join(', ')}; the name is that of --probe-process`;
    }
    if (path.startsWith(`${OUTAGE_ROOM}.`)) {
      return `metric "${path}" is not a figure of outages, expected ${OUTAGE_ROOM}.<component> and one of ${Object.keys(OUTAGE_FIGURES).join(', ')}; of an operation ${OUTAGE_ROOM}.<component>.operations.<operation>.okPercent, answeredPercent or failedPercent`;
    }
    if (path.startsWith(`${LIMIT_ROOM}.`)) {
      return `metric "${path}" is not a figure of limits, expected ${LIMIT_ROOM}.<component> and one of ${LIMIT_FIGURES.join(', ')}`;
    }
    return path.startsWith(`${SELECTED}.`)
      ? `metric "${path}" is not a metric of a Prometheus page, expected one such as target.metrics.http_requests_total{code="500"}`
      : `metric "${path}" is not a figure of report.json${meant(budget, metrics)}`;
  }
  if (budget.stage !== undefined && metric.stages === 'no') {
    return `metric "${path}" is not measured per stage; remove "stage: ${budget.stage}"`;
  }
  if (budget.stage === undefined && metric.stages === 'only') {
    return `metric "${path}" is measured per stage only; add "stage:"`;
  }
  const wrong = statisticProblem(budget, metric);
  if (wrong !== null || metric.unit === 'setting') return wrong;
  const numeric = typeof budget.limit !== 'string';
  if (metric.unit === 'text') {
    return numeric ? `metric "${path}" is text; expected a limit that is text` : null;
  }
  if (!numeric) return `metric "${path}" is a number in ${metric.unit}; expected a limit that is a number`;
  if (metric.unit === 'any' || conversion(metric.unit, budget.metricUnit) !== undefined) return null;
  const units = comparableUnits(metric.unit);
  return `metric "${path}" is in ${metric.unit} and cannot be compared with ${budget.metricUnit}; expected ${oneOf(units)}`;
}

/** Prefixes of figures with a free name: settings of the stack, a target's own metrics, and its processes. */
const NAMED_ROOMS = ['stack.applied', SELECTED, PROCESS_ROOM];

/** A suggestion for an unknown path, and where all paths are listed. */
function meant({ metric: { path }, stage }: MeasuredBudget, metrics: Metrics): string {
  const listed = 'capbench metrics lists them all';
  const at = path.lastIndexOf('.');
  const [above, last] = [path.slice(0, at), path.slice(at + 1)];
  const isFitting = ({ stages }: Metric): boolean => stages !== (stage === undefined ? 'only' : 'no');
  const parent = metricAt(metrics, above);
  if (parent?.stats?.includes(last) === true && isFitting(parent)) {
    return `; ${last} is a statistic: metric: ${above}, stat: ${last}`;
  }
  const [one = '', two = '', ...name] = path.split('.');
  const room = name.length === 0 ? undefined : nearest(`${one}.${two}`, NAMED_ROOMS);
  const known = [...metrics].flatMap(([known, metric]) => (isFitting(metric) ? [known] : []));
  const near = room === undefined ? nearestPath(path, known) : `${room}.${name.join('.')}`;
  return near === undefined ? `; ${listed}` : `; did you mean "${near}"? ${listed}`;
}

/** Names of statistics in other tools. */
const SYNONYMS: Readonly<Record<string, string>> = {
  ...{ avg: 'mean', average: 'mean', med: 'p50', median: 'p50', maximum: 'max', minimum: 'min' },
  ...{ p100: 'max', delta: 'increase', count: 'increase', value: 'last' },
};

function statisticProblem({ metric: { path }, stat }: MeasuredBudget, { stats }: Metric): string | null {
  if (stats === null)
    return stat === null ? null : `metric "${path}" has no statistics; remove "stat: ${stat}"`;
  if (stat !== null && stats.includes(stat)) return null;
  const synonym = stat === null ? undefined : SYNONYMS[stat.toLowerCase()];
  const found =
    synonym !== undefined && stats.includes(synonym)
      ? synonym
      : stat === null
        ? undefined
        : nearest(stat, stats);
  const hint = found === undefined ? '' : `; did you mean ${found}?`;
  return `metric "${path}" has the statistics ${stats.join(', ')}; got ${stat ?? 'none'}${hint}`;
}

const oneOf = (words: readonly string[]): string =>
  words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
