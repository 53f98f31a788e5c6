import { badInput } from '../errors.ts';
import { foundUrl } from './found-url.ts';
import type { FoundBudget, FoundMessage, FoundRequest, LeftOut, Proposal } from './proposal.ts';
import { closing, partsOf, type Token, tokensOf } from './script-tokens.ts';
import { HOLE, hasHole, isMap, jsonOf, REST, ScriptValues, Unknown, type Value } from './script-values.ts';
import { connectsFor, type Level, secondsIn, shapeOf, steady } from './shape.ts';
import { comparisonOf, latencyBudget, statOf } from './thresholds.ts';

/** A range of tokens: the body of a function. */
type Range = readonly [from: number, to: number];

const METHODS: Readonly<Record<string, string>> = {
  ...{ get: 'GET', head: 'HEAD', post: 'POST', put: 'PUT', patch: 'PATCH' },
  ...{ del: 'DELETE', delete: 'DELETE', options: 'OPTIONS' },
};
/** Methods without a body as the second argument. */
const BODILESS = ['GET', 'HEAD'];

/** A call in the code of a virtual user. */
type Call =
  | (Pick<FoundRequest, 'method' | 'path' | 'body' | 'line'> & {
      readonly of: 'http';
      readonly origin: string | null;
    })
  | (Pick<FoundMessage, 'data' | 'line'> & { readonly of: 'socket' });

/** What a virtual user does once. */
interface Iteration {
  readonly calls: readonly Call[];
  /** Seconds of `sleep`. */
  readonly pause: number;
  readonly socketPath: string | null;
  readonly origins: readonly string[];
}

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

/**
 * What a k6 script leads to. It is read and not run: what only running it would tell is `{player}`, or left out.
 * @param file its name in errors
 * @throws CapbenchError (104) where it is no script, or sends nothing that is known
 */
export function fromK6(file: string, source: string): Proposal {
  const reader = new K6Script(file, source);
  return reader.proposal();
}

class K6Script {
  private readonly file: string;
  private readonly tokens: readonly Token[];
  private readonly values: ScriptValues;
  private readonly leftOut: LeftOut[] = [];
  private readonly functions = new Map<string, Range>();
  /** The names under which `k6/http` and sockets are imported. */
  private readonly http = new Set<string>();
  private readonly sockets = new Set<string>();
  /** The words of what virtual users do. */
  private readonly walked = new Set<number>();

  constructor(file: string, source: string) {
    this.file = file;
    this.tokens = tokensOf(file, source);
    this.values = new ScriptValues(this.tokens);
    this.readImports();
    this.readFunctions();
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
    const origins = [...new Set(found.flatMap(({ iteration }) => iteration.origins))];
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
            messages: rated.flatMap((one) => (one.of === 'socket' ? [message(one)] : [])),
          }
        : { protocol: 'http', requests: rated.flatMap((one) => (one.of === 'http' ? [one] : [])) },
      budgets: this.budgetsOf(options),
      target: origins[0] ?? null,
      leftOut: this.leftOut.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    };
  }

  private note(line: number | null, what: string): void {
    if (!this.leftOut.some((one) => one.line === line && one.what === what))
      this.leftOut.push({ line, what });
  }

  /** Names the options that are not read, and the requests that no virtual user sends. */
  private noteUnread(options: { readonly [key: string]: Value }): void {
    for (const [key, value] of Object.entries(options)) {
      if (key === REST && value instanceof Unknown) this.noteRest(value);
      else if (!READ.options.includes(key)) this.note(this.lineOfOption(key), `the option ${key}`);
    }
    for (const [name, one] of Object.entries(isMap(options.scenarios) ? options.scenarios : {})) {
      for (const key of isMap(one) ? Object.keys(one) : []) {
        if (!READ.scenario.includes(key)) this.note(this.lineOfOption(key), `${key} of the scenario ${name}`);
      }
    }
    for (const rest of this.values.lost) this.noteRest(rest);
    const { tokens } = this;
    for (const [i, { kind, text, line }] of tokens.entries()) {
      if (kind !== 'word' || this.walked.has(i) || tokens[i - 1]?.text === '.') continue;
      const isCall = tokens[i + 1]?.text === '(';
      const member = tokens[i + 1]?.text === '.' && tokens[i + 3]?.text === '(' ? tokens[i + 2]?.text : null;
      const name = isCall ? text : member;
      const isRequest =
        this.http.has(text) &&
        typeof name === 'string' &&
        (Object.hasOwn(METHODS, name) || name === 'request' || name === 'batch');
      const isSocket = this.sockets.has(text) && (isCall || member === 'connect');
      if (!isRequest && !isSocket) continue;
      const around = [...this.functions].find(([, [from, to]]) => from <= i && i < to)?.[0];
      this.note(
        line,
        `${isCall ? text : `${text}.${name}`}${around === undefined ? '' : ` in ${around}`}: no virtual user of a scenario sends it`,
      );
    }
  }

  private noteRest({ line, source }: Unknown): void {
    this.note(line, `...${source}: it is not known without running the script`);
  }

  private lineOfOption(key: string): number | null {
    const from = this.tokens.findIndex(({ kind, text }) => kind === 'word' && text === 'options');
    const at = this.tokens.find(({ kind, text }, i) => i > from && kind !== 'mark' && text === key);
    return at?.line ?? this.lineOf(key);
  }

  private readImports(): void {
    const { tokens } = this;
    for (const [i, token] of tokens.entries()) {
      if (token.kind !== 'word' || token.text !== 'import') continue;
      const from = tokens.findIndex((one, at) => at > i && one.kind === 'text');
      const source = tokens[from]?.text ?? '';
      const names = tokens
        .slice(i + 1, from)
        .flatMap(({ kind, text }) => (kind === 'word' && !/^(?:from|as|type)$/.test(text) ? [text] : []));
      if (source === 'k6/http') for (const name of names) this.http.add(name);
      else if (/^k6\/(?:ws|websockets|experimental\/websockets)$/.test(source))
        for (const name of names) this.sockets.add(name);
      else if (/^k6\/(?:net\/grpc|browser|experimental\/(?:redis|browser))/.test(source)) {
        this.note(
          token.line,
          `${source}: players of capbench send HTTP, JSON over a WebSocket, or what a module sends`,
        );
      }
    }
  }

  /** `function name() {..}`, `const name = () => {..}`, and the default function. */
  private readFunctions(): void {
    const { tokens } = this;
    for (const [i, token] of tokens.entries()) {
      if (token.kind !== 'word') continue;
      if (token.text === 'function') {
        const name = tokens[i + 1]?.kind === 'word' ? tokens[i + 1]?.text : undefined;
        const open = tokens.findIndex((one, at) => at > i && one.text === '(' && one.kind === 'mark');
        const body = open < 0 ? -1 : this.bodyAfter(closing(tokens, open) + 1);
        if (body < 0) continue;
        const range: Range = [body + 1, closing(tokens, body)];
        if (name !== undefined) this.functions.set(name, range);
        if (this.isDefault(i)) this.functions.set('default', range);
      } else if (tokens[i + 1]?.text === '=' && tokens[i + 2] !== undefined) {
        const arrow = this.arrowAfter(i + 2);
        if (arrow !== null) this.functions.set(token.text, arrow);
      } else if (token.text === 'default' && tokens[i - 1]?.text === 'export') {
        const arrow = this.arrowAfter(i + 1);
        if (arrow !== null) this.functions.set('default', arrow);
        const named = this.functions.get(tokens[i + 1]?.text ?? '');
        if (named !== undefined) this.functions.set('default', named);
      }
    }
  }

  private isDefault(at: number): boolean {
    const before = this.tokens.slice(Math.max(0, at - 3), at).map(({ text }) => text);
    return before.includes('export') && before.includes('default');
  }

  /** The brace that begins a body here, behind a type if there is one; -1 without. */
  private bodyAfter(from: number): number {
    for (let i = from; i < Math.min(from + 40, this.tokens.length); i++) {
      if (this.tokens[i]?.text === '{' && this.tokens[i]?.kind === 'mark') return i;
      if (/^[;=]$/.test(this.tokens[i]?.text ?? '')) return -1;
    }
    return -1;
  }

  private arrowAfter(from: number): Range | null {
    const { tokens } = this;
    let at = tokens[from]?.text === 'async' ? from + 1 : from;
    at = tokens[at]?.text === '(' ? closing(tokens, at) + 1 : at + 1;
    // `(): void =>`
    if (tokens[at]?.text === ':') {
      const arrow = tokens.slice(at, at + 12).findIndex(({ text }) => text === '=>');
      at = arrow < 0 ? at : at + arrow;
    }
    if (tokens[at]?.text !== '=>') return null;
    return tokens[at + 1]?.text === '{'
      ? [at + 2, closing(tokens, at + 1)]
      : [at + 1, Math.min(at + 200, tokens.length)];
  }

  private options(): { readonly [key: string]: Value } {
    const value = this.values.constant('options');
    if (isMap(value)) return value;
    if (value !== undefined)
      this.note(
        value instanceof Unknown ? value.line : null,
        'options: they are not literals, and only running the script would tell them',
      );
    return {};
  }

  private lineOf(word: string): number | null {
    return this.tokens.find(({ kind, text }) => kind !== 'mark' && text === word)?.line ?? null;
  }

  private scenariosOf(options: { readonly [key: string]: Value }): readonly Found[] {
    const { scenarios } = options;
    if (!isMap(scenarios)) {
      const isOpen =
        options.stages !== undefined || options.vus !== undefined || options.duration !== undefined;
      return [
        this.scenarioOf(
          'default',
          { ...options, executor: Array.isArray(options.stages) ? 'ramping-vus' : 'constant-vus' },
          isOpen,
        ),
      ];
    }
    return Object.entries(scenarios).flatMap(([name, one]) => {
      if (isMap(one)) return [this.scenarioOf(name, one, true)];
      this.note(this.lineOf(name), `the scenario ${name}: it is no literal`);
      return [];
    });
  }

  private scenarioOf(name: string, one: { readonly [key: string]: Value }, isOpen: boolean): Found {
    const line = this.lineOf(name);
    const exec = typeof one.exec === 'string' ? one.exec : 'default';
    const iteration = this.iterationOf(exec);
    const number = (key: string, otherwise: number): number => {
      const value = one[key];
      if (value instanceof Unknown)
        this.note(
          value.line,
          `${key}: ${value.source} is not known without running the script, ${otherwise} is proposed`,
        );
      return typeof value === 'number' ? value : otherwise;
    };
    const executor = typeof one.executor === 'string' ? one.executor : 'constant-vus';
    const seconds = secondsIn(one.duration);
    const unit = secondsIn(one.timeUnit) ?? 1;
    if (one.startTime !== undefined) this.note(line, `startTime of ${name}: it begins with the others`);
    if (!isOpen && one.iterations === undefined && name === 'default')
      this.note(null, 'options: there are none, one player is proposed');
    const allocated = Math.max(number('preAllocatedVUs', DEFAULT_USERS), number('maxVUs', 0));
    switch (executor) {
      case 'constant-arrival-rate':
        return {
          iteration,
          users: allocated,
          perSecond: number('rate', 1) / unit,
          levels: [],
          of: 'rate',
          seconds,
        };
      case 'ramping-arrival-rate': {
        const levels = this.levelsOf(one.stages, number('startRate', 0) / unit, unit);
        const most = Math.max(0, ...levels.map(({ to }) => to));
        return { iteration, users: allocated, perSecond: most, levels, of: 'rate', seconds: sumOf(levels) };
      }
      case 'ramping-vus': {
        const levels = this.levelsOf(one.stages, number('startVUs', 1), 1);
        const users = Math.max(1, ...levels.map(({ from, to }) => Math.max(from, to)));
        return { iteration, users, perSecond: null, levels, of: 'players', seconds: sumOf(levels) };
      }
      case 'constant-vus':
        if (one.iterations !== undefined)
          this.note(line, 'iterations: a run lasts for a time, and not for a number of operations');
        return {
          iteration,
          users: number('vus', DEFAULT_USERS),
          perSecond: null,
          levels: [],
          of: 'rate',
          seconds,
        };
      default:
        this.note(
          line,
          `the executor ${executor} of ${name}: a run lasts for a time, with a rate; its virtual users are players`,
        );
        return {
          iteration,
          users: number('vus', DEFAULT_USERS),
          perSecond: null,
          levels: [],
          of: 'rate',
          seconds: secondsIn(one.maxDuration),
        };
    }
  }

  private levelsOf(stages: Value | undefined, start: number, unit: number): readonly Level[] {
    let from = start;
    return (Array.isArray(stages) ? (stages as readonly Value[]) : []).flatMap(
      (stage): Level | readonly Level[] => {
        const [seconds, target] = isMap(stage)
          ? [secondsIn(stage.duration), stage.target]
          : [null, undefined];
        if (seconds === null || typeof target !== 'number') {
          const unknown = isMap(stage)
            ? Object.values(stage).find((value) => value instanceof Unknown)
            : stage;
          this.note(
            unknown instanceof Unknown ? unknown.line : this.lineOf('stages'),
            'a stage: its duration or its target is no literal',
          );
          return [];
        }
        const to = target / unit;
        const level = { name: null, seconds, from, to };
        from = to;
        return level;
      },
    );
  }

  private iterationOf(name: string): Iteration {
    const range = this.functions.get(name);
    const empty = { calls: [], pause: 0, socketPath: null, origins: [] };
    if (range === undefined) {
      this.note(null, `the function ${name}: it was not found`);
      return empty;
    }
    const found = {
      calls: [] as Call[],
      pause: 0,
      socketPath: null as string | null,
      origins: [] as string[],
    };
    this.walk(range, found, new Set([name]));
    return found;
  }

  private walk(
    [from, to]: Range,
    found: { calls: Call[]; pause: number; socketPath: string | null; origins: string[] },
    seen: ReadonlySet<string>,
  ): void {
    const { tokens } = this;
    for (let i = from; i < to; i++) {
      const token = tokens[i]!;
      if (token.kind !== 'word') continue;
      this.walked.add(i);
      if (/^(?:for|while|do|if|switch)$/.test(token.text)) {
        this.note(token.line, `${token.text}: what is inside counts once for each iteration`);
        continue;
      }
      if (/^set(?:Interval|Timeout)$/.test(token.text)) {
        this.note(token.line, `${token.text}: what is inside counts once for each iteration`);
      }
      const isMember = tokens[i - 1]?.text === '.';
      const member = tokens[i + 1]?.text === '.' ? tokens[i + 2]?.text : undefined;
      const open = member === undefined ? i + 1 : i + 3;
      if (tokens[open]?.text !== '(') continue;
      const close = closing(tokens, open);
      const parts = partsOf(tokens, open + 1, close);
      const argument = (n: number): Value | undefined => {
        const part = parts[n];
        return part === undefined ? undefined : this.values.read(part[0], part[1]);
      };
      if (!isMember && this.http.has(token.text) && token.text !== 'http' && member === undefined) {
        this.request(token.text, argument, token.line, found);
      } else if (!isMember && this.http.has(token.text) && member !== undefined) {
        this.request(member, argument, token.line, found);
      } else if (!isMember && this.sockets.has(token.text)) {
        this.socket(argument(0), found);
        for (const params of [argument(1), argument(2)]) {
          for (const key of isMap(params) ? Object.keys(params) : [])
            this.note(token.line, `${key} of a socket`);
        }
      } else if (isMember && token.text === 'send') {
        const value = argument(0);
        if (value === undefined || this.sockets.size === 0) continue;
        found.calls.push({ of: 'socket', data: dataOf(value), line: token.line });
      } else if (token.text === 'sleep' && !isMember) {
        const value = argument(0);
        if (typeof value === 'number') found.pause += value;
        else
          this.note(token.line, 'sleep: its time is not known without running the script, and counts as 1 s');
        if (typeof value !== 'number') found.pause += 1;
      } else if (token.text === 'check' && !isMember) {
        this.note(token.line, 'check: an answer of 2xx is ok, of 4xx rejected, anything else failed');
      } else if (
        !isMember &&
        member === undefined &&
        this.functions.has(token.text) &&
        !seen.has(token.text)
      ) {
        this.walk(this.functions.get(token.text) ?? [0, 0], found, new Set([...seen, token.text]));
      }
    }
  }

  private request(
    name: string,
    argument: (n: number) => Value | undefined,
    line: number,
    found: { calls: Call[]; origins: string[] },
  ): void {
    if (name === 'batch') {
      const all = argument(0);
      const each: readonly Value[] = Array.isArray(all)
        ? (all as readonly Value[])
        : isMap(all)
          ? Object.values(all)
          : [];
      if (each.length === 0) this.note(line, 'http.batch: its requests are no literals');
      for (const one of each) {
        const [method, url, body] = Array.isArray(one)
          ? (one as readonly Value[])
          : isMap(one)
            ? [one.method ?? 'GET', one.url, one.body]
            : ['GET', one];
        this.add(typeof method === 'string' ? method : 'GET', url, body, line, found);
      }
      return;
    }
    if (name === 'request') {
      const method = argument(0);
      if (typeof method === 'string') {
        this.add(method.toUpperCase(), argument(1), argument(2), line, found, argument(3));
      } else this.note(line, 'http.request: its method is no literal');
      return;
    }
    const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    if (method === undefined) {
      if (/^[a-z]/.test(name) && !/^(?:url|file|cookieJar|expectedStatuses|setResponseCallback)$/.test(name))
        this.note(line, `http.${name}`);
      return;
    }
    const bodiless = BODILESS.includes(method);
    this.add(
      method,
      argument(0),
      bodiless ? undefined : argument(1),
      line,
      found,
      argument(bodiless ? 1 : 2),
    );
  }

  private add(
    method: string,
    url: Value | undefined,
    body: Value | undefined,
    line: number,
    found: { calls: Call[]; origins: string[] },
    params?: Value,
  ): void {
    const at = typeof url === 'string' ? foundUrl(url) : null;
    if (at === null) {
      this.note(line, `${method}: its URL is not known without running the script`);
      return;
    }
    if (at.hasUser) this.note(line, `${method} ${at.path}: the user in its address`);
    if (at.open) this.note(line, `${method} ${at.path}: what is not known of the path is {player}`);
    if (hasHole(body)) this.note(line, `${method} ${at.path}: what is not known of the body is {player}`);
    for (const key of isMap(params) ? Object.keys(params).filter((one) => one !== REST) : []) {
      this.note(
        line,
        key === 'headers'
          ? `${method} ${at.path}: its headers; --header and --header-env give the same to every request`
          : `${method} ${at.path}: ${key}`,
      );
    }
    if (params instanceof Unknown || (isMap(params) && Object.hasOwn(params, REST)))
      this.note(line, `${method} ${at.path}: its parameters are not known without running the script`);
    if (isMap(body)) this.note(line, `${method} ${at.path}: its body is a form in k6, and JSON here`);
    if (at.origin !== null && !found.origins.includes(at.origin)) found.origins.push(at.origin);
    found.calls.push({ of: 'http', method, path: at.path, body: bodyOf(body), line, origin: at.origin });
  }

  private socket(url: Value | undefined, found: { socketPath: string | null; origins: string[] }): void {
    const at = typeof url === 'string' ? foundUrl(url) : null;
    found.socketPath ??= at?.path ?? null;
    const origin = at?.origin ?? null;
    if (origin !== null && !found.origins.includes(origin)) found.origins.push(origin);
  }

  private budgetsOf({ thresholds }: { readonly [key: string]: Value }): readonly FoundBudget[] {
    if (!isMap(thresholds)) return [];
    return Object.entries(thresholds).flatMap(([metric, given]) => {
      const line = this.lineOf(metric) ?? 1;
      const all: readonly Value[] = Array.isArray(given) ? (given as readonly Value[]) : [given];
      return all.flatMap((one): readonly FoundBudget[] => {
        const text = isMap(one) ? one.threshold : one;
        const budgets = typeof text === 'string' ? thresholdBudgets(metric, text, line) : [];
        if (budgets.length === 0) {
          this.note(line, `the threshold ${metric}: ${whyNot(metric, text)}`);
        }
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
function ratedCalls(
  { iteration, users, perSecond }: Found,
  base: number | null,
): readonly (Call & { readonly perSecond: number })[] {
  const iterations = perSecond === null ? users / (iteration.pause || 1) : (base ?? perSecond);
  return iteration.calls.map((call) => ({ ...call, perSecond: iterations }));
}

const message = ({
  data,
  line,
  perSecond,
}: {
  readonly data: string;
  readonly line: number;
  readonly perSecond: number;
}): FoundMessage => ({
  ...{ event: null, data, line, perSecond, acknowledged: false },
});

const sumOf = (levels: readonly Level[]): number => levels.reduce((sum, { seconds }) => sum + seconds, 0);

const bodyOf = (body: Value | undefined): string | null =>
  body === undefined || body === null
    ? null
    : typeof body === 'string'
      ? body.replaceAll(HOLE, '{player}')
      : jsonOf(body);

/** A JavaScript expression of plain data, in which `{player}` is the number of the player. */
export function dataOf(value: Value): string {
  if (typeof value === 'string') {
    const text = value.replaceAll(HOLE, '{player}');
    return `${JSON.stringify(text)}${text.includes('{player}') ? ".replaceAll('{player}', String(context.player))" : ''}`;
  }
  const json = jsonOf(value);
  return json.includes('{player}')
    ? `JSON.parse(${JSON.stringify(json)}.replaceAll('{player}', String(context.player)))`
    : json;
}
