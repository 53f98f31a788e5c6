import { scenarioHash } from '../../scenario/resolved.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { OPERATIONS, type Operation, type Workload } from '../../scenario/workload.ts';
import { LANE_SOURCE } from '../../systems/flux/k6/lane.ts';
import { PLAYER_SOURCE } from '../../systems/flux/k6/player.ts';
import { SCHEDULE_SOURCE } from '../../systems/flux/k6/schedule.ts';
import { toSeconds } from '../../units.ts';
import { lanesOf } from '../pacer.ts';
import {
  COUNTED_KINDS,
  counterOf,
  earlyDueOf,
  METRICS,
  SUMMARY_FILE,
  SUMMARY_ORIGIN,
  sentRateOf,
  TREND_KINDS,
  TREND_STATISTICS,
  trendOf,
} from './metrics.ts';
import { BOOKS_SOURCE } from './source/books.ts';
import { FRAME_SOURCE } from './source/frame.ts';
import { MEASURE_SOURCE } from './source/measure.ts';
import { type K6Limit, type K6Thresholds, thresholdsOf } from './thresholds.ts';

/** Beyond players / connects a second: the virtual users start, the servers are asked, the last ones are welcomed. */
const CONNECT_SPARE_SECONDS = 5;
/** What k6 needs of a core to start a virtual user and to connect it. */
const CONNECT_SECONDS_PER_PLAYER = 0.004;
/** A virtual user that has not ended so long after the drain is ended by k6. */
const END_SPARE_SECONDS = 30;

/**
 * A virtual user is a whole JavaScript engine, some 0.7 MB, which the garbage collector visits over and over: players
 * share one. There are enough of them for many processors, and for many processes to have equal shares.
 */
const USERS_AIMED_AT = 40;
const MOST_PLAYERS_PER_USER = 50;
const playersPerUserOf = ({ players }: Workload): number =>
  Math.min(Math.max(1, Math.ceil(players / USERS_AIMED_AT)), MOST_PLAYERS_PER_USER);

/** Virtual users that play. */
export const playerUsersOf = (workload: Workload): number =>
  Math.ceil(workload.players / playersPerUserOf(workload));

/** From the first connection to GO. */
export const connectSecondsOf = ({ players, connectsPerSecond }: Workload): number =>
  Math.ceil(players / connectsPerSecond + CONNECT_SECONDS_PER_PLAYER * players) + CONNECT_SPARE_SECONDS;

/**
 * A k6 script that makes the workload's load: the same operations, due at the same times, as capbench's own engine.
 * It stands alone: `k6 run` needs nothing of capbench, and holds the budgets that k6 can see as thresholds.
 */
export function k6Script(workload: Workload, scenario: Scenario, baseUrls: readonly string[]): string {
  const thresholds = thresholdsOf(scenario);
  const config = configOf(workload, scenario);
  return `${headOf(scenario, thresholds)}
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';

// The load. Rates are those after the ramp; "durationSeconds" is the measure phase, which is what counts.
const CONFIG = ${literal(config)};

// Where the world servers are: every one of them, once.
const BASE_URLS = (__ENV.BASE_URLS || ${quote(baseUrls.join(','))})
  .split(',')
  .map((url) => url.trim().replace(/\\/$/, ''));

// For servers that want one: "Bearer ..".
const HEADERS = __ENV.CAPBENCH_AUTHORIZATION ? { authorization: __ENV.CAPBENCH_AUTHORIZATION } : {};

// From the first connection to GO, when the schedule begins; more where it takes longer to connect everybody.
const CONNECT_SECONDS = ${connectSecondsOf(workload)};
const MAX_SECONDS =
  CONNECT_SECONDS + CONFIG.rampSeconds + CONFIG.warmUpSeconds + CONFIG.durationSeconds + CONFIG.drainSeconds + ${END_SPARE_SECONDS};

// What capbench reads of a trend. k6 puts into "options" what its environment and flags say instead.
const STATISTICS = ${listOf(TREND_STATISTICS)};

export const options = {
  scenarios: {
${scenariosOf(workload)}  },
  summaryTrendStats: STATISTICS,
  // k6 ends with exit code 99 when one of them is crossed.
  thresholds: ${thresholdsText(thresholds, workload)},
};

// The names of the metrics. Without "_early": of what was due in the measure phase. Of a post of monster commands the
// trends hold one value, and the counters as many commands as it has.
const SUMMARY_FILE = ${quote(SUMMARY_FILE)};
const SUMMARY_KEY = ${quote(SUMMARY_ORIGIN)};
const NAMES = ${literal(namesOf(thresholds.limits))};
${SCHEDULE_SOURCE}${MEASURE_SOURCE}${BOOKS_SOURCE}${PLAYER_SOURCE}${LANE_SOURCE}${FRAME_SOURCE}`;
}

/** What of the load a summary says again. */
export function toldOf(workload: Workload) {
  const { seed, players, monsters, commandsPerPost, timeline } = workload;
  return {
    ...{ seed, players, monsters, commandsPerPost },
    rampSeconds: timeline.rampEnd / 1e6,
    warmUpSeconds: (timeline.measureStart - timeline.rampEnd) / 1e6,
    durationSeconds: (timeline.end - timeline.measureStart) / 1e6,
  };
}

function configOf(workload: Workload, scenario: Scenario) {
  return {
    scenario: scenario.name,
    scenarioHash: scenarioHash(scenario),
    ...toldOf(workload),
    playersPerUser: playersPerUserOf(workload),
    intentsPerSecondOfAPlayer: workload.intentRate,
    lanes: lanesOf(workload.monsters),
    postsPerSecond: workload.postRate,
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

/** A scenario of k6's for those that there are: one virtual user for a block of players, one a lane. */
function scenariosOf({ players, monsters, postRate }: Workload): string {
  const one = (name: string, exec: string, vus: string): string => `    ${name}: {
      executor: 'per-vu-iterations',
      exec: '${exec}',
      vus: ${vus},
      iterations: 1,
      maxDuration: MAX_SECONDS + 's',
      gracefulStop: '0s',
    },
`;
  return [
    players > 0 ? one('players', 'players', 'Math.ceil(CONFIG.players / CONFIG.playersPerUser)') : '',
    postRate > 0 && monsters > 0 ? one('monsters', 'lane', 'CONFIG.lanes') : '',
  ].join('');
}

function thresholdsText({ thresholds }: K6Thresholds, { intentRate, players, postRate }: Workload): string {
  const byMetric = new Map<string, { expression: string; why: string }[]>();
  for (const { metric, expression, budget } of thresholds) {
    const why = `${budget.id}: ${budget.title}`.replaceAll(/[\r\n\u2028\u2029]+/g, ' ');
    byMetric.set(metric, [...(byMetric.get(metric) ?? []), { expression, why }]);
  }
  // A threshold on a metric without samples is not looked at: no load keeps no budget.
  const due = [players > 0 && intentRate > 0, postRate > 0];
  for (const [index, name] of OPERATIONS.entries()) {
    if (due[index] === true) {
      byMetric.set(counterOf(name, 'scheduled'), [
        { expression: 'count>0', why: 'without a load nothing is kept' },
      ]);
    }
  }
  const lines = [...byMetric].map(([metric, all]) => {
    const held = all.map(({ expression, why }) => `      ${quote(expression)}, // ${why}\n`).join('');
    return `    ${metric}: [\n${held}    ],\n`;
  });
  return `{\n${lines.join('')}  }`;
}

function namesOf(limits: readonly K6Limit[]) {
  const operation = (name: Operation) => ({
    counters: Object.fromEntries(COUNTED_KINDS.map((kind) => [kind, counterOf(name, kind)])),
    earlyCounters: Object.fromEntries(COUNTED_KINDS.map((kind) => [kind, counterOf(name, kind, true)])),
    ...Object.fromEntries(TREND_KINDS.map((kind) => [kind, trendOf(name, kind)])),
    earlyDue: earlyDueOf(name),
    sent: sentRateOf(name),
    limits: limits
      .filter((limit) => limit.operation === name)
      .map(({ rate, limitMs, strict }) => ({ rate, limitMs, strict })),
  });
  return { ...METRICS, ...Object.fromEntries(OPERATIONS.map((name) => [name, operation(name)])) };
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
