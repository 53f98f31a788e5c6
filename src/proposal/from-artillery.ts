import { isScalar, isMap as isYamlMap, LineCounter, parseDocument } from 'yaml';
import { badInput, messageOf as textOf } from '../errors.ts';
import { foundUrl } from './found-url.ts';
import type { FoundBudget, FoundMessage, FoundRequest, LeftOut, Proposal } from './proposal.ts';
import { type Level, secondsIn, shapeOf } from './shape.ts';
import { comparisonOf, latencyBudget, statOf } from './thresholds.ts';
import { dataOf, HOLE, isMap, jsonOf, type Value } from './value.ts';

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];
const DEEPEST = 20;
/** Steps that are carried over, or that a player does not need. */
const SILENT = ['log', 'think', 'loop', 'count', 'over', 'while'];
/** The keys of each map that are read, or named on their own; any other is named as not carried over. */
const READ = {
  test: ['config', 'scenarios', 'processor', 'payload', 'variables', 'before', 'after'],
  config: [
    ...['target', 'phases', 'ensure', 'plugins', 'defaults', 'http', 'engines'],
    ...['processor', 'payload', 'variables', 'before', 'after'],
  ],
  plugins: ['ensure'],
  phase: ['name', 'duration', 'arrivalRate', 'arrivalCount', 'rampTo', 'pause', 'maxVusers'],
  scenario: ['name', 'weight', 'flow', 'engine'],
  request: ['url', 'qs', 'json', 'body', 'form', 'formData'],
};
/** Keys that set what every request has. */
const HEADERS = ['headers', 'auth', 'cookie', 'cookies'];
/** What is said of keys that need more than their name. */
const WHY: Readonly<Record<string, string>> = {
  processor: 'code of the test is not run; what it would set is {player}',
  payload: 'what it would set is {player}; players.data gives each player a row of a CSV file',
  variables: 'what they would set is {player}',
  before: 'its requests are not sent; what they would set is {player}',
  after: 'its requests are not sent',
  tls: 'certificates of a target are checked; --ca-file names others to trust',
};
const CODE = 'code of the test is not run';

interface Found {
  readonly requests: FoundRequest[];
  readonly messages: FoundMessage[];
  /** Seconds of `think`. */
  pause: number;
}

/**
 * What an Artillery test leads to: its phases are rates of arriving users, each of whom goes through a scenario once.
 * @param file its name in errors
 * @throws CapbenchError (104) with line and column, where it is no YAML, or sends nothing
 */
export function fromArtillery(file: string, source: string): Proposal {
  const lines = new LineCounter();
  // Brackets that are nested by the thousand, or aliases of aliases.
  const readable = <T>(read: () => T): T => {
    try {
      return read();
    } catch (thrown) {
      throw badInput(
        `${file}:1:1: its YAML cannot be read: ${textOf(thrown)}`,
        'expected an Artillery test, with few aliases and little nesting',
      );
    }
  };
  const document = readable(() =>
    parseDocument(source, {
      schema: 'core',
      resolveKnownTags: false,
      lineCounter: lines,
      logLevel: 'silent',
    }),
  );
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw badInput(
      `${file}:${line}:${col}: ${error.message.split('\n')[0]}`,
      'expected the YAML of an Artillery test',
    );
  }
  if (!isYamlMap(document.contents))
    throw badInput(`${file}:1:1: expected a map with config and scenarios`, 'the YAML of an Artillery test');
  const lineAt = (path: readonly (string | number)[]): number => {
    for (let length = path.length; length > 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      const range =
        isScalar(node) || (typeof node === 'object' && node !== null && 'range' in node)
          ? (node as { range?: readonly number[] | null }).range
          : null;
      if (range?.[0] !== undefined) return lines.linePos(range[0]).line;
    }
    return 1;
  };
  return new ArtilleryTest(
    file,
    readable(() => withHoles(document.toJS({ maxAliasCount: 100 }) as Value)),
    lineAt,
  ).proposal();
}

/** `{{ name }}` is not known without running the test. */
function withHoles(value: Value, depth = 0): Value {
  if (depth > DEEPEST) return null;
  if (typeof value === 'string') return value.replaceAll(/\{\{[^}]*\}\}/g, HOLE);
  if (Array.isArray(value)) return value.map((one: Value) => withHoles(one, depth + 1));
  return isMap(value)
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withHoles(one, depth + 1)]))
    : value;
}

const listOf = (value: Value | undefined): readonly Value[] =>
  Array.isArray(value) ? (value as readonly Value[]) : [];
const mapOf = (value: Value | undefined): { readonly [key: string]: Value } => (isMap(value) ? value : {});

class ArtilleryTest {
  private readonly file: string;
  private readonly root: { readonly [key: string]: Value };
  private readonly config: { readonly [key: string]: Value };
  private readonly lineAt: (path: readonly (string | number)[]) => number;
  private readonly leftOut: LeftOut[] = [];

  constructor(file: string, root: Value, lineAt: ArtilleryTest['lineAt']) {
    this.file = file;
    this.root = mapOf(root);
    this.config = mapOf(this.root.config);
    this.lineAt = lineAt;
  }

  private note(line: number | null, what: string): void {
    if (!this.leftOut.some((one) => one.line === line && one.what === what))
      this.leftOut.push({ line, what });
  }

  proposal(): Proposal {
    const scenarios = listOf(this.root.scenarios).map(mapOf);
    const weights = scenarios.map(({ weight }) => (typeof weight === 'number' && weight > 0 ? weight : 1));
    const total = weights.reduce((sum, one) => sum + one, 0);
    const levels = this.levels();
    const { shape, base, notes } = shapeOf(levels, 'rate');
    for (const note of notes) this.note(this.lineAt(['config', 'phases']), note);
    const found: Found = { requests: [], messages: [], pause: 0 };
    let longest = 0;
    let engine = 'http';
    for (const [i, scenario] of scenarios.entries()) {
      const own: Found = { requests: [], messages: [], pause: 0 };
      const path = ['scenarios', i];
      this.flow(
        scenario.flow,
        [...path, 'flow'],
        ((weights[i] ?? 1) / total) * (base === 0 ? 1 : base),
        own,
        1,
      );
      found.requests.push(...own.requests);
      found.messages.push(...own.messages);
      longest = Math.max(longest, own.pause);
      if (typeof scenario.engine === 'string') engine = scenario.engine;
      this.others(scenario, path, READ.scenario, (key) =>
        /^(?:before|after|on)[A-Z]/.test(key) ? `${key}: ${CODE}` : `${key} of a scenario`,
      );
    }
    if (found.requests.length + found.messages.length === 0) {
      throw badInput(
        `${this.file}:${this.lineAt(['scenarios'])}:1: no request and no message was found, expected scenarios with a flow`,
        'such as flow: [{ get: { url: /items } }]',
      );
    }
    const isSocket = found.messages.length > 0;
    if (isSocket && found.requests.length > 0) {
      this.note(null, 'the HTTP requests beside the messages: players of one module do both only by hand');
    }
    this.settings();
    const target = typeof this.config.target === 'string' ? foundUrl(this.config.target) : null;
    if (target?.hasUser === true)
      this.note(this.lineAt(['config', 'target']), 'target: the user in its address');
    const peak = Math.max(0, ...levels.map(({ from, to }) => Math.max(from, to)));
    // Those who are there at once, by Little's law; a session takes a second at least.
    const players = Math.max(1, Math.min(1_000_000, Math.ceil(peak * Math.max(1, longest))));
    return {
      description: `Proposed from the Artillery test ${this.file}`,
      players,
      whyPlayers: 'users a second times the think time of their scenario, at least a second',
      connectsPerSecond: null,
      shape,
      talk: isSocket
        ? {
            protocol: engine === 'socketio' || engine === 'socketio-v3' ? 'socket.io' : 'websocket',
            path: target?.path ?? '/',
            messages: found.messages,
          }
        : { protocol: 'http', requests: found.requests },
      budgets: this.budgets(),
      target: target?.origin ?? null,
      leftOut: this.leftOut.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    };
  }

  /** Names the keys of a map that are not read, with their lines. */
  private others(
    map: { readonly [key: string]: Value },
    path: readonly (string | number)[],
    read: readonly string[],
    text: (key: string) => string,
  ): void {
    for (const key of Object.keys(map)) {
      if (!read.includes(key)) this.note(this.lineAt([...path, key]), text(key));
    }
  }

  /** Names what the test sets for all its scenarios. */
  private settings(): void {
    const named = (key: string): string => (WHY[key] === undefined ? key : `${key}: ${WHY[key]}`);
    for (const key of ['processor', 'payload', 'variables', 'before', 'after']) {
      if (this.root[key] !== undefined) this.note(this.lineAt([key]), named(key));
      if (this.config[key] !== undefined) this.note(this.lineAt(['config', key]), named(key));
    }
    this.others(this.root, [], READ.test, named);
    this.others(this.config, ['config'], READ.config, named);
    this.others(
      mapOf(this.config.plugins),
      ['config', 'plugins'],
      READ.plugins,
      (key) => `the plugin ${key}`,
    );
    const { defaults, http } = this.config;
    for (const [map, path] of [
      [mapOf(defaults), ['config', 'defaults']],
      [mapOf(mapOf(this.config.http).defaults), ['config', 'http', 'defaults']],
    ] as const) {
      this.others(map, path, [], (key) =>
        HEADERS.includes(key)
          ? `defaults.${key}: --header and --header-env give the same to every request`
          : `defaults.${key}`,
      );
    }
    this.others(mapOf(http), ['config', 'http'], ['defaults'], (key) => `http.${key}`);
    for (const [name, engine] of Object.entries(mapOf(this.config.engines)))
      this.others(mapOf(engine), ['config', 'engines', name], [], (key) => `engines.${name}.${key}`);
  }

  private levels(): readonly Level[] {
    const phases = listOf(this.config.phases).map(mapOf);
    if (phases.length === 0) {
      this.note(null, 'config.phases: there are none, one user a second is proposed');
      return [{ name: null, seconds: 30, from: 1, to: 1 }];
    }
    return phases.flatMap((phase, i): Level | readonly Level[] => {
      const line = this.lineAt(['config', 'phases', i]);
      const name = typeof phase.name === 'string' ? phase.name : null;
      const pause = secondsIn(phase.pause);
      if (pause !== null) return { name: name ?? 'pause', seconds: pause, from: 0, to: 0 };
      const seconds = secondsIn(phase.duration);
      const count = typeof phase.arrivalCount === 'number' ? phase.arrivalCount : null;
      const from =
        typeof phase.arrivalRate === 'number'
          ? phase.arrivalRate
          : seconds === null || count === null
            ? null
            : count / seconds;
      if (seconds === null || from === null) {
        this.note(line, 'a phase: its duration or its arrivalRate is not known without running the test');
        return [];
      }
      this.others(phase, ['config', 'phases', i], READ.phase, (key) => `${key} of a phase`);
      if (phase.maxVusers !== undefined) this.note(line, 'maxVusers: the number of players is load.players');
      return { name, seconds, from, to: typeof phase.rampTo === 'number' ? phase.rampTo : from };
    });
  }

  /** Adds what a flow sends, `perSecond` times. */
  private flow(
    steps: Value | undefined,
    path: readonly (string | number)[],
    perSecond: number,
    found: Found,
    times: number,
    depth = 0,
  ): void {
    for (const [i, step] of listOf(steps).entries()) {
      const at = [...path, i];
      for (const [key, value] of Object.entries(mapOf(step))) {
        const line = this.lineAt([...at, key]);
        const rate = perSecond * times;
        if (METHODS.includes(key)) this.request(key.toUpperCase(), mapOf(value), line, rate, found);
        else if (key === 'think') {
          const seconds = secondsIn(value);
          if (seconds === null)
            this.note(line, 'think: its time is not known without running the test, and counts as 1 s');
          found.pause += times * (seconds ?? 1);
        } else if (key === 'loop' && depth < DEEPEST) {
          const count = mapOf(step).count;
          if (typeof count !== 'number') this.note(line, 'loop: what is inside counts once');
          this.flow(
            value,
            [...at, key],
            perSecond,
            found,
            times * (typeof count === 'number' ? count : 1),
            depth + 1,
          );
        } else if (key === 'send' || key === 'emit') {
          found.messages.push(
            messageOf(
              key,
              value,
              line,
              rate,
              mapOf(step).acknowledge !== undefined || mapOf(value).acknowledge !== undefined,
            ),
          );
        } else if (!SILENT.includes(key) && !(key === 'acknowledge' || key === 'response')) {
          this.note(line, `${key}: no player does it without code`);
        }
      }
    }
  }

  private request(
    method: string,
    given: { readonly [key: string]: Value },
    line: number,
    perSecond: number,
    found: Found,
  ): void {
    const at =
      typeof given.url === 'string'
        ? foundUrl(
            given.url.startsWith('/') || given.url.includes('://') || given.url.startsWith(HOLE)
              ? given.url
              : `/${given.url}`,
          )
        : null;
    if (at === null) {
      this.note(line, `${method}: its url is not known without running the test`);
      return;
    }
    const query = Object.entries(mapOf(given.qs)).map(
      ([key, value]) =>
        `${encodeURIComponent(key)}=${typeof value === 'string' && value.includes(HOLE) ? '{player}' : encodeURIComponent(String(value))}`,
    );
    const body = given.json ?? given.body ?? given.form ?? given.formData;
    if (at.hasUser) this.note(line, `${method} ${at.path}: the user in its address`);
    if (at.open || (body !== undefined && jsonOf(body).includes('{player}')))
      this.note(line, `${method} ${at.path}: what is not known of it is {player}`);
    for (const key of Object.keys(given)) {
      if (HEADERS.includes(key)) {
        this.note(
          line,
          `${method} ${at.path}: its ${key}; --header and --header-env give the same to every request`,
        );
      } else if (!READ.request.includes(key)) this.note(line, `${method} ${at.path}: ${key}`);
    }
    if (given.form !== undefined || given.formData !== undefined)
      this.note(line, `${method} ${at.path}: its body is a form, and JSON here`);
    const path =
      query.length === 0 ? at.path : `${at.path}${at.path.includes('?') ? '&' : '?'}${query.join('&')}`;
    const text =
      body === undefined ? null : typeof body === 'string' ? body.replaceAll(HOLE, '{player}') : jsonOf(body);
    found.requests.push({ method, path, body: text, line, perSecond });
  }

  private budgets(): readonly FoundBudget[] {
    const plugin = mapOf(mapOf(this.config.plugins).ensure);
    const [where, ensure] = isMap(this.config.ensure)
      ? [['config', 'ensure'], this.config.ensure]
      : [['config', 'plugins', 'ensure'], plugin];
    const found: FoundBudget[] = [];
    const add = (
      name: string,
      op: FoundBudget['op'],
      limit: Value | undefined,
      path: readonly (string | number)[],
    ): void => {
      const line = this.lineAt(path);
      const budget = typeof limit === 'number' ? ensured(name, { op, limit, line }) : null;
      if (budget === null) this.note(line, `ensure ${name}: nothing is measured like it`);
      else found.push(budget);
    };
    for (const [key, value] of Object.entries(ensure)) {
      if (key === 'thresholds') {
        for (const [i, one] of listOf(value).entries()) {
          for (const [name, limit] of Object.entries(mapOf(one)))
            add(name, '<', limit, [...where, key, i, name]);
        }
      } else if (key === 'conditions') {
        for (const [i, one] of listOf(value).entries()) {
          const text = mapOf(one).expression;
          for (const part of typeof text === 'string' ? text.split(/\s+and\s+/) : []) {
            const comparison = comparisonOf(part);
            if (comparison === null) this.note(this.lineAt([...where, key, i]), `ensure: ${part}`);
            else add(comparison.left, comparison.op, comparison.limit, [...where, key, i]);
          }
        }
      } else add(key, key === 'maxErrorRate' ? '<=' : '<', value, [...where, key]);
    }
    return found;
  }
}

/** One check of `ensure` as a budget; null where nothing is measured like it. */
function ensured(name: string, at: Pick<FoundBudget, 'op' | 'limit' | 'line'>): FoundBudget | null {
  if (name === 'maxErrorRate')
    return { ...at, id: 'failed', metric: 'load.errorPercent.{op}', stat: null, unit: '%' };
  const stat = statOf(name.replace(/^(?:http|socketio|websocket)\.(?:response_time|emit_rate)\./, ''));
  if (stat !== null && !/emit_rate/.test(name)) return latencyBudget(`duration-${stat}`, stat, at);
  return name === 'http.request_rate'
    ? { ...at, id: 'throughput', metric: 'throughput.operationsPerSecond', stat: null, unit: 'ops/s' }
    : null;
}

function messageOf(
  key: string,
  value: Value,
  line: number,
  perSecond: number,
  acknowledged: boolean,
): FoundMessage {
  const at = { line, perSecond, acknowledged };
  if (key === 'send') return { ...at, event: null, data: dataOf(mapOf(value).payload ?? value) };
  // `emit: [event, data]`, or `emit: { channel, data }`.
  const [event, data] = Array.isArray(value)
    ? (value as readonly Value[])
    : [mapOf(value).channel, mapOf(value).data];
  return { ...at, event: typeof event === 'string' ? event : 'message', data: dataOf(data ?? null) };
}
