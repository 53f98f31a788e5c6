import { type LatencyBudget, latencyBudgetOf } from '../../judge/latency-budget.ts';
import { connectSecondsOf, type K6System, playersPerUserOf } from '../../load/k6/k6-system.ts';
import {
  CONNECT,
  COUNT_KINDS,
  counterOf,
  originOf,
  sentRateOf,
  TREND_KINDS,
  totalOf,
  trendOf,
  withinRateOf,
} from '../../load/k6/metrics.ts';
import type { Budget, MeasuredBudget } from '../../scenario/budget.ts';
import { scenarioHash } from '../../scenario/resolved.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Workload } from '../../scenario/workload.ts';
import { conversion, toSeconds } from '../../units.ts';

/** A virtual user that has not ended so long after the drain is ended by k6. */
const END_SPARE_SECONDS = 30;

/** What k6 can run of a system. */
interface K6Script {
  readonly system: K6System;
  /** `dist/<system>-k6.js`: its modules as one (script/, and systems/<system>/k6/script/). */
  readonly modules: string;
}

/**
 * A k6 script that makes the workload's load: the same operations, due at the same times, as capbench's own engine.
 * It needs no other file: `k6 run` needs nothing of capbench, and holds the budgets that k6 can see as thresholds.
 */
export function k6Script(
  { system, modules }: K6Script,
  workload: Workload,
  scenario: Scenario,
  baseUrls: readonly string[],
): string {
  const thresholds = thresholdsOf(scenario);
  const origin = originOf(system, workload);
  const limits = workload.operations.map(({ id }) => [
    id,
    thresholds.limits
      .filter(({ operation }) => operation === id)
      .map(({ rate, limitMs, strict }) => ({ rate, limitMs, strict })),
  ]);
  return `${headOf(scenario, thresholds)}

// The load. Rates are those after the ramp; "durationSeconds" is the measure phase, which is what counts.
const CONFIG = ${literal(configOf(system, workload, scenario, origin))};

// Where the world servers are: every one of them, once.
const BASE_URLS = (__ENV.BASE_URLS || ${quote(baseUrls.join(','))})
  .split(',')
  .map((url) => url.trim().replace(/\\/$/, ''));

// For servers that want one: "Bearer ..".
// (As a pair: "authorization: .." in a file looks like a secret, and would be taken out of it.)
const AUTH = __ENV.CAPBENCH_AUTHORIZATION;
const HEADERS = AUTH ? Object.fromEntries([['authorization', AUTH]]) : {};

// From the first connection to GO, when the schedule begins; more where it takes longer to connect everybody.
const CONNECT_SECONDS = ${connectSecondsOf(workload)};
const MAX_SECONDS =
  CONNECT_SECONDS + CONFIG.rampSeconds + CONFIG.warmUpSeconds + CONFIG.durationSeconds + CONFIG.drainSeconds + ${END_SPARE_SECONDS};

// The virtual users: each plays a block of players, or is one of those who act beside them.
const SCENARIOS = {
${scenariosOf(system, workload)}};

// k6 ends with exit code 99 when one of them is crossed.
const THRESHOLDS = ${thresholdsText(thresholds, workload)};

// By operation: budgets that are held against all that was due, answered or not.
const LIMITS = ${literal(Object.fromEntries(limits))};

// The operations in words, and what of CONFIG the summary repeats.
const LABELS = ${literal(Object.fromEntries(workload.operations.map(({ id, label }) => [id, label])))};
const ORIGIN = ${listOf(Object.keys(origin))};

// --- From here on: capbench's modules, the same in every script -------------------------------------------------------

${modules}`;
}

function configOf(
  system: K6System,
  workload: Workload,
  scenario: Scenario,
  origin: Readonly<Record<string, number>>,
) {
  return {
    scenario: scenario.name,
    scenarioHash: scenarioHash(scenario),
    ...origin,
    playersPerUser: playersPerUserOf(workload),
    ...system.config(workload),
    drainSeconds: toSeconds(workload.drain),
    outstanding: workload.outstanding,
    skipAfterSeconds: toSeconds(workload.skipAfter),
    timeoutSeconds: toSeconds(workload.timeout),
    connectsPerSecond: workload.connectsPerSecond,
  };
}

function headOf({ name, description }: Scenario, { left }: K6Thresholds): string {
  const lines = [
    `The load of the capbench scenario ${name}, for k6 2.x:`,
    `  ${description}`,
    '',
    '  k6 run -e BASE_URLS=http://127.0.0.1:3001,http://127.0.0.1:3002 script.js',
    '',
    'against the world servers of this scenario (capbench serve starts them), or your own that speak their protocol.',
    'CAPBENCH_SUMMARY names the file of the summary; with "stdout" it is a line of the output.',
    'capbench report --from-k6 judges the summaries of one or several k6 processes, with exact percentiles.',
    'With CAPBENCH_THRESHOLDS=none no threshold is checked, as it has to be with one of several processes.',
    'CAPBENCH_RUN names the run: capbench report --run takes the summaries of no other one.',
    ...(left.length === 0
      ? []
      : [
          '',
          'Budgets of the scenario that are not among the thresholds below:',
          ...left.map(({ budget, why }) => `  ${budget.id} (${budget.title}): ${why}`),
        ]),
  ];
  // A scenario's prose is text, and stays a comment: whatever ends a line in JavaScript begins another one.
  return lines
    .flatMap((line) => line.split(/[\r\n\u2028\u2029]+/))
    .map((line) => `// ${line}`.trimEnd())
    .join('\n');
}

/** A scenario of k6's for those that there are: a virtual user for each block of players, and the others. */
function scenariosOf(system: K6System, workload: Workload): string {
  const others = system.others(workload);
  const one = (name: string, exec: string, vus: string): string => `  ${name}: {
    executor: 'per-vu-iterations',
    exec: '${exec}',
    vus: ${vus},
    iterations: 1,
    maxDuration: MAX_SECONDS + 's',
    gracefulStop: '0s',
  },
`;
  return [
    one('players', 'players', 'Math.ceil(CONFIG.players / CONFIG.playersPerUser)'),
    others === null ? '' : one(others.scenario, others.exec, `CONFIG.${others.key}`),
  ].join('');
}

function thresholdsText({ thresholds }: K6Thresholds, { operations }: Workload): string {
  const byMetric = new Map<string, { expression: string; why: string }[]>();
  for (const { metric, expression, budget } of thresholds) {
    const why = `${budget.id}: ${budget.title}`.replaceAll(/[\r\n\u2028\u2029]+/g, ' ');
    byMetric.set(metric, [...(byMetric.get(metric) ?? []), { expression, why }]);
  }
  // A threshold on a metric without samples is not looked at: no load keeps no budget.
  for (const { id, perSecond } of operations) {
    if (perSecond > 0) {
      byMetric.set(counterOf(id, 'scheduled'), [
        { expression: 'count>0', why: 'without a load no budget is met' },
      ]);
    }
  }
  const lines = [...byMetric].map(([metric, all]) => {
    const held = all.map(({ expression, why }) => `    ${quote(expression)}, // ${why}\n`).join('');
    return `  ${metric}: [\n${held}  ],\n`;
  });
  return `{\n${lines.join('')}}`;
}

const quote = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
const listOf = (items: readonly string[]): string => `[${items.map(quote).join(', ')}]`;

/** A value as JavaScript that a person would write. */
function literal(value: unknown, indent = ''): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((item) => `${indent}  ${literal(item, `${indent}  `)},\n`).join('')}${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, item]) => `${indent}  ${key}: ${literal(item, `${indent}  `)},\n`,
  );
  return `{\n${entries.join('')}${indent}}`;
}

/** One budget as k6 holds it. */
interface K6Threshold {
  readonly budget: MeasuredBudget;
  readonly metric: string;
  /** `p(95)<500` */
  readonly expression: string;
}

/** A latency budget over all that was due: what was not answered counts as slower than everything that was. */
interface K6Limit extends LatencyBudget {
  readonly rate: string;
}

interface K6Thresholds {
  readonly thresholds: readonly K6Threshold[];
  readonly limits: readonly K6Limit[];
  /** What a load generator cannot see, and why. */
  readonly left: readonly { readonly budget: Budget; readonly why: string }[];
}

const STATISTICS: Readonly<Record<string, string>> = {
  ...{ p50: 'p(50)', p90: 'p(90)', p95: 'p(95)', p99: 'p(99)', p999: 'p(99.9)' },
  ...{ min: 'min', max: 'max', mean: 'avg' },
};
const OPERATORS: Readonly<Record<string, string>> = { '<': '<', '<=': '<=', '>': '>', '>=': '>=', '=': '==' };

/** The budgets that k6 can check, as thresholds; the others by name. */
function thresholdsOf({ budgets, scale, altered }: Scenario): K6Thresholds {
  const thresholds: K6Threshold[] = [];
  const limits: K6Limit[] = [];
  const left: { budget: Budget; why: string }[] = [];
  for (const budget of budgets) {
    if (budget.state !== 'measured' || budget.contradicted !== null) {
      left.push({ budget, why: 'no run could decide it' });
    } else if (budget.fullLoad && (scale !== 1 || altered.length > 0)) {
      left.push({ budget, why: 'it applies to the full load, and this is another' });
    } else {
      const found = expressionsOf(budget);
      thresholds.push(...found.map(([metric, expression]) => ({ budget, metric, expression })));
      if (found.length === 0) left.push({ budget, why: 'the load generator cannot see it' });
      // The percentiles above are of what was answered; these are of all that was due.
      const latency = latencyBudgetOf(budget);
      if (latency?.kind === 'due') {
        const rate = withinRateOf(budget.id);
        limits.push({ ...latency, rate });
        thresholds.push({ budget, metric: rate, expression: `rate>=${ratio(latency.percent)}` });
      }
    }
  }
  return { thresholds, limits, left };
}

const ratio = (percent: number): number => Number((percent / 100).toPrecision(12));

/** [metric, expression] of one budget; none where k6 has no figure for it. */
function expressionsOf(budget: MeasuredBudget): readonly (readonly [metric: string, expression: string])[] {
  const { stat, op, limit } = budget;
  const { figure, operation } = budget.metric;
  const operator = OPERATORS[op];
  if (operator === undefined || typeof limit !== 'number') return [];
  const statistic = stat === null ? undefined : STATISTICS[stat];
  const perMs = conversion('ms', budget.metricUnit);
  const timed = (name: string): readonly (readonly [string, string])[] =>
    statistic === undefined || perMs === undefined ? [] : [[name, `${statistic}${operator}${limit / perMs}`]];
  if (figure === 'network.connectMs') return timed(CONNECT);
  if (figure === 'network.disconnects') return [[totalOf('disconnects'), `count${operator}${limit}`]];
  if (figure === 'load.peakCcu') return [[totalOf('connected'), `count${operator}${limit}`]];
  if (operation === null) return [];
  const { id } = operation;
  const trend = TREND_KINDS.find((kind) => figure === `latency.${kind}`);
  if (trend !== undefined) return timed(trendOf(id, trend));
  if (figure === 'load.sentPercent') return [[sentRateOf(id), `rate${operator}${ratio(limit)}`]];
  const kind = COUNT_KINDS.find((one) => figure === `load.operations.${one}`);
  return kind === undefined ? [] : [[counterOf(id, kind), `count${operator}${limit}`]];
}
