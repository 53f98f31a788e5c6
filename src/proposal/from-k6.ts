import { badInput } from '../errors.ts';
import type { FoundBudget, LeftOut, Proposal } from './proposal.ts';
import { treeOf } from './script-tree.ts';
import { ScriptValues } from './script-values.ts';
import { connectsFor, type Level, secondsIn, shapeOf, steady } from './shape.ts';
import { comparisonOf, latencyBudget, statOf } from './thresholds.ts';
import { entriesOf, isMap, restOf, Unknown, type Value } from './value.ts';
import { type Iteration, VirtualUsers } from './virtual-users.ts';

type ValueMap = { readonly [key: string]: Value };

/** One scenario of the options, reduced. */
interface Found {
  readonly iteration: Iteration;
  /** Virtual users. */
  readonly users: number;
  /** Iterations a second at the base level; null where each user repeats as fast as it can. */
  readonly perSecond: number | null;
  readonly levels: readonly Level[];
  readonly of: 'rate' | 'players';
  readonly seconds: number | null;
}

const DEFAULT_USERS = 1;
/** The keys of each map that are read, or named on their own; any other is named as not carried over. */
const READ = {
  options: ['stages', 'vus', 'duration', 'iterations', 'scenarios', 'thresholds'],
  scenario: [
    ...['executor', 'exec', 'vus', 'duration', 'maxDuration', 'iterations', 'stages', 'startTime'],
    ...['startVUs', 'rate', 'startRate', 'timeUnit', 'preAllocatedVUs', 'maxVUs'],
  ],
};
/** Of these, the number that is proposed instead of what is not known is named. */
const NUMBERS = ['vus', 'startVUs', 'rate', 'startRate', 'preAllocatedVUs', 'maxVUs'];

/**
 * What a k6 script leads to. It is read and not run: what only running it would tell is `{player}`, or left out.
 * @param file its name in errors
 * @throws CapbenchError (104) where it is no script, or sends nothing that is known
 */
export function fromK6(file: string, source: string): Proposal {
  return new K6Script(file, source).proposal();
}

class K6Script {
  private readonly file: string;
  private readonly values: ScriptValues;
  private readonly users: VirtualUsers;
  private readonly leftOut = new Map<string, LeftOut>();

  constructor(file: string, source: string) {
    this.file = file;
    const tree = treeOf(file, source);
    this.values = new ScriptValues(tree);
    this.users = new VirtualUsers(file, tree, this.values, (line, what) => this.note(line, what));
  }

  proposal(): Proposal {
    const options = this.options();
    const found = this.scenariosOf(options);
    const calls = found.flatMap(({ iteration }) => iteration.calls);
    this.noteUnread(options);
    if (calls.length === 0) {
      throw badInput(
        `${this.file}: no request and no message of it was found, expected calls such as http.get('https://..') in its default function`,
        'only what the script says in literals is read; it is not run',
      );
    }
    const sockets = calls.some((call) => call.of === 'socket');
    const [single] = found;
    const isSingle = found.length === 1 && single !== undefined;
    const { levels = [], of = 'rate' } = isSingle ? single : {};
    const shaped = levels.length === 0 ? null : shapeOf(levels, of);
    for (const note of shaped?.notes ?? []) this.note(null, note);
    if (!isSingle && found.some((one) => one.levels.length > 0)) {
      this.note(null, 'the changes of level of several scenarios: each is held at its highest level');
    }
    const longest = Math.max(0, ...found.map(({ seconds }) => seconds ?? 0));
    const users = found.reduce((sum, one) => sum + one.users, 0);
    const base = shaped === null || of === 'players' || shaped.base === 0 ? null : shaped.base;
    const rated = found.flatMap((one) => ratedCalls(one, isSingle ? base : null));
    if (found.some(({ perSecond, iteration }) => perSecond === null && iteration.pause === 0)) {
      this.note(
        null,
        'how often a virtual user without sleep repeats: it is as fast as its answers; the proposed rate is one iteration a second for each player',
      );
    }
    const origins = [...new Set(found.flatMap(({ iteration }) => [...iteration.origins]))];
    for (const other of origins.slice(1))
      this.note(null, `requests to ${other}: a run has one target, and they are proposed for it`);
    const path = found.map(({ iteration }) => iteration.socketPath).find((one) => one !== null) ?? '/';
    if (sockets && calls.some((call) => call.of === 'http')) {
      this.note(null, 'the HTTP requests beside the messages: players of one module do both only by hand');
    }
    const connects = of === 'players' && levels.length > 0 ? connectsFor(levels) : null;
    return {
      description: `Proposed from the k6 script ${this.file}`,
      players: Math.max(1, Math.min(1_000_000, Math.round(users))),
      whyPlayers: 'virtual users',
      connectsPerSecond: connects,
      shape: shaped?.shape ?? steady(longest === 0 ? null : longest),
      talk: sockets
        ? {
            protocol: 'websocket',
            path,
            messages: rated.flatMap((one) => (one.of === 'socket' ? [one] : [])),
          }
        : { protocol: 'http', requests: rated.flatMap((one) => (one.of === 'http' ? [one] : [])) },
      budgets: this.budgetsOf(options),
      target: origins[0] ?? null,
      leftOut: [...this.leftOut.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    };
  }

  private note(line: number | null, what: string): void {
    this.leftOut.set(`${line}: ${what}`, { line, what });
  }

  /** Names the options that are not read, and the requests that no virtual user sends. */
  private noteUnread(options: ValueMap): void {
    this.noteKeys(options, READ.options, (key) => `the option ${key}`);
    for (const [name, one] of entriesOf(options.scenarios)) {
      if (isMap(one)) this.noteKeys(one, READ.scenario, (key) => `${key} of the scenario ${name}`);
    }
    for (const { line, source } of [...restOf(options), ...this.values.lost])
      this.note(line, `${source}: it is not known without running the script`);
    this.users.noteUnsent();
  }

  private noteKeys(map: ValueMap, read: readonly string[], named: (key: string) => string): void {
    for (const [key, value] of entriesOf(map)) {
      if (!read.includes(key)) this.note(this.values.lineOfKey(map, key), named(key));
      else if (value instanceof Unknown && !NUMBERS.includes(key))
        this.note(value.line, `${named(key)}: ${value.source} is not known without running the script`);
    }
  }

  private options(): ValueMap {
    const value = this.values.constant('options');
    if (isMap(value)) return value;
    const line = value instanceof Unknown ? value.line : null;
    const what = 'options: they are not literals, and only running the script would tell them';
    if (value !== undefined) this.note(line, what);
    return {};
  }

  private scenariosOf(options: ValueMap): readonly Found[] {
    const { scenarios } = options;
    if (isMap(scenarios)) {
      return entriesOf(scenarios).flatMap(([name, one]) => {
        if (isMap(one)) return [this.scenarioOf(name, one)];
        this.note(this.values.lineOfKey(scenarios, name), `the scenario ${name}: it is no literal`);
        return [];
      });
    }
    if (['stages', 'vus', 'duration', 'iterations'].every((key) => options[key] === undefined))
      this.note(null, 'options: there are none, one player is proposed');
    return [
      this.scenarioOf('default', options, Array.isArray(options.stages) ? 'ramping-vus' : 'constant-vus'),
    ];
  }

  private scenarioOf(name: string, one: ValueMap, otherwise = 'constant-vus'): Found {
    const lineOf = (key: string): number | null => this.values.lineOfKey(one, key);
    const exec = typeof one.exec === 'string' ? one.exec : 'default';
    const iteration = this.users.iterationOf(exec);
    const number = (key: string, proposed: number): number => {
      const value = one[key];
      const why = 'is not known without running the script';
      if (value instanceof Unknown)
        this.note(value.line, `${key}: ${value.source} ${why}, ${proposed} is proposed`);
      return typeof value === 'number' ? value : proposed;
    };
    const executor = typeof one.executor === 'string' ? one.executor : otherwise;
    const seconds = secondsIn(one.duration);
    const unit = secondsIn(one.timeUnit) ?? 1;
    if (one.startTime !== undefined)
      this.note(lineOf('startTime'), `startTime of ${name}: it begins with the others`);
    const allocated = Math.max(number('preAllocatedVUs', DEFAULT_USERS), number('maxVUs', 0));
    const found: Found = { iteration, users: allocated, perSecond: null, levels: [], of: 'rate', seconds };
    switch (executor) {
      case 'constant-arrival-rate':
        return { ...found, perSecond: number('rate', 1) / unit };
      case 'ramping-arrival-rate': {
        const levels = this.levelsOf(one, number('startRate', 0) / unit, unit);
        const most = Math.max(0, ...levels.map(({ to }) => to));
        return { ...found, perSecond: most, levels, seconds: sumOf(levels) };
      }
      case 'ramping-vus': {
        const levels = this.levelsOf(one, number('startVUs', 1), 1);
        const users = Math.max(1, ...levels.map(({ from, to }) => Math.max(from, to)));
        return { ...found, users, levels, of: 'players', seconds: sumOf(levels) };
      }
      case 'constant-vus': {
        const what = 'iterations: a run lasts for a time, and not for a number of operations';
        if (one.iterations !== undefined) this.note(lineOf('iterations'), what);
        return { ...found, users: number('vus', DEFAULT_USERS) };
      }
      default: {
        const what = 'a run lasts for a time, with a rate; its virtual users are players';
        this.note(lineOf('executor'), `the executor ${executor} of ${name}: ${what}`);
        return { ...found, users: number('vus', DEFAULT_USERS), seconds: secondsIn(one.maxDuration) };
      }
    }
  }

  private levelsOf(scenario: ValueMap, start: number, unit: number): readonly Level[] {
    const stages = Array.isArray(scenario.stages) ? (scenario.stages as readonly Value[]) : [];
    let from = start;
    return stages.flatMap((stage): Level | readonly Level[] => {
      const { duration, target } = isMap(stage) ? stage : {};
      const seconds = secondsIn(duration);
      if (seconds === null || typeof target !== 'number') {
        const unknown = [stage, duration, target].find((value) => value instanceof Unknown);
        this.note(
          unknown?.line ?? this.values.lineOfKey(scenario, 'stages'),
          'a stage: its duration or its target is no literal',
        );
        return [];
      }
      const level = { name: null, seconds, from, to: target / unit };
      from = level.to;
      return level;
    });
  }

  private budgetsOf({ thresholds }: ValueMap): readonly FoundBudget[] {
    if (!isMap(thresholds)) return [];
    return entriesOf(thresholds).flatMap(([metric, given]) => {
      const line = this.values.lineOfKey(thresholds, metric) ?? 1;
      const all: readonly Value[] = Array.isArray(given) ? (given as readonly Value[]) : [given];
      return all.flatMap((one): readonly FoundBudget[] => {
        const text = isMap(one) ? one.threshold : one;
        const budgets = typeof text === 'string' ? thresholdBudgets(metric, text, line) : [];
        if (budgets.length === 0) this.note(line, `the threshold ${metric}: ${whyNot(metric, text)}`);
        return budgets;
      });
    });
  }
}

/** Why a threshold is no budget. */
function whyNot(metric: string, text: Value | undefined): string {
  if (typeof text !== 'string') return 'it is no literal';
  const [, tags] = /\{(.*)\}$/.exec(metric) ?? [];
  return tags === undefined || thresholdBudgets(metric.slice(0, metric.indexOf('{')), text, 1).length === 0
    ? `nothing is measured like ${text}`
    : `what has the tag ${tags} is not told apart; ${text} can be a budget on one kind of operation`;
}

/** A threshold as budgets; none where nothing is measured like it. */
function thresholdBudgets(metric: string, text: string, line: number): readonly FoundBudget[] {
  const comparison = comparisonOf(text);
  if (comparison === null) return [];
  const { left, op, limit } = comparison;
  const at = { op, limit, line };
  const percent = { op, limit: Number((100 * limit).toPrecision(6)), line, unit: '%', stat: null };
  const stat = statOf(left);
  switch (metric) {
    case 'http_req_duration':
    case 'http_req_waiting':
      return stat === null ? [] : [latencyBudget(`duration-${stat}`, stat, at)];
    case 'http_req_failed':
      // k6 also counts answers of 4xx, which are rejections here.
      return left === 'rate'
        ? [
            { ...percent, id: 'failed', metric: 'load.errorPercent.{op}' },
            { ...percent, id: 'rejected', metric: 'load.rejectedPercent.{op}' },
          ]
        : [];
    case 'http_reqs':
    case 'iterations':
      return left === 'rate' && metric === 'http_reqs'
        ? [{ ...at, id: 'throughput', metric: 'throughput.operationsPerSecond', stat: null, unit: 'ops/s' }]
        : [];
    case 'http_req_connecting':
    case 'ws_connecting':
      return stat === null
        ? []
        : [{ ...at, id: `connect-${stat}`, metric: 'network.connectMs', stat, unit: 'ms' }];
    default:
      return [];
  }
}

/** The calls of a scenario with their rates, at its base level. */
function ratedCalls({ iteration, users, perSecond }: Found, base: number | null) {
  const iterations = perSecond === null ? users / (iteration.pause || 1) : (base ?? perSecond);
  return iteration.calls.map((call) => ({ ...call, perSecond: iterations }));
}

const sumOf = (levels: readonly Level[]): number => levels.reduce((sum, { seconds }) => sum + seconds, 0);
