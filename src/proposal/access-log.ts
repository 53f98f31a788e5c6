import { BusiestMinute } from './busiest-minute.ts';
import { type FoundRequest, type LeftOut, METHODS, type Proposal } from './proposal.ts';
import { steady } from './shape.ts';

/** One request of a log. */
interface Entry {
  /** Seconds since 1970. */
  readonly at: number;
  readonly client: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** Different shapes of paths that are told apart; a scan of a server would make any number. */
const MOST_SHAPES = 2000;
const MOST_CLIENTS = 1_000_000;
/** Shapes that are named with the same remark. */
const MOST_NAMED = 20;
const LONGEST_PATH = 1000;

/** Counts of one shape of requests. */
interface ShapeCount {
  readonly method: string;
  readonly path: string;
  /** Where it was seen first. */
  readonly line: number;
  count: number;
  /** Answers of 4xx. */
  rejected: number;
  /** Answers that are neither 2xx nor 4xx: `3xx` and `5xx`, with how many there were. */
  readonly failed: Map<string, number>;
}

/**
 * An access log, line by line: Common or Combined Log Format, or JSON. It keeps counts only, so that a log may have any
 * length. What a log leads to is its busiest 60 s.
 */
export class AccessLog {
  readonly leftOut: LeftOut[] = [];
  lines = 0;
  bad = 0;
  firstBad: { readonly line: number; readonly text: string } | null = null;
  read = 0;
  private readonly shapes = new Map<string, ShapeCount>();
  private readonly minute = new BusiestMinute();
  /** Of requests that are much older than those before them, such as those of a second log behind the first. */
  private readonly late = new BusiestMinute();
  private readonly clients = new Set<string>();
  private readonly others = new Map<string, { readonly line: number; count: number }>();
  private first = Number.POSITIVE_INFINITY;
  private last = Number.NEGATIVE_INFINITY;

  add(text: string): void {
    this.lines += 1;
    if (text.trim() === '') return;
    const entry = entryOf(text);
    if (entry === null) {
      this.bad += 1;
      this.firstBad ??= { line: this.lines, text: text.slice(0, 80) };
      return;
    }
    this.read += 1;
    if (!METHODS.includes(entry.method) || entry.status === 101) {
      const what =
        entry.status === 101
          ? `${entry.method} ${shapeOfPath(entry.path)}: an upgrade, for which a player module is needed`
          : `${entry.method}: a method that players do not send`;
      const known = this.others.get(what);
      if (known !== undefined) known.count += 1;
      else if (this.others.size < 20) this.others.set(what, { line: this.lines, count: 1 });
      return;
    }
    this.count(entry);
  }

  private count({ at, client, method, path, status }: Entry): void {
    const shape = shapeOfPath(path);
    const key = `${method} ${shape}`;
    let known = this.shapes.get(key);
    if (known === undefined) {
      if (this.shapes.size >= MOST_SHAPES) return;
      known = { method, path: shape, line: this.lines, count: 0, rejected: 0, failed: new Map() };
      this.shapes.set(key, known);
    }
    known.count += 1;
    this.first = Math.min(this.first, at);
    this.last = Math.max(this.last, at);
    const hundred = Math.floor(status / 100);
    if (hundred === 4) known.rejected += 1;
    else if (hundred === 1 || hundred === 3 || hundred === 5)
      known.failed.set(`${hundred}xx`, (known.failed.get(`${hundred}xx`) ?? 0) + 1);
    if (this.clients.size < MOST_CLIENTS) this.clients.add(client);
    if (this.minute.add(at, key, client) || this.late.add(at, key, client)) return;
    this.late.restart();
    this.late.add(at, key, client);
  }

  /** @param file its name. Null where no request of it could be read */
  proposal(file: string): Proposal | null {
    const [minute, late] = [this.minute.busiest(), this.late.busiest()];
    if (minute === null) return null;
    const of = late !== null && late.total > minute.total ? late : minute;
    // A log of less than a minute has its own length.
    const span = Math.max(1, Math.min(60, this.last - this.first + 1));
    const total = [...this.shapes.values()].reduce((sum, { count }) => sum + count, 0);
    const mean = total / Math.max(1, this.last - this.first + 1);
    const requests = [...of.shapes].flatMap(([key, count]): FoundRequest | readonly FoundRequest[] => {
      const shape = this.shapes.get(key);
      return shape === undefined
        ? []
        : {
            ...{ method: shape.method, path: shape.path, body: null, line: shape.line },
            perSecond: count / span,
            rejectedPercent: (100 * shape.rejected) / shape.count,
          };
    });
    const bodies = requests.filter(({ method }) => /^(?:POST|PUT|PATCH)$/.test(method));
    const failed = [...this.shapes.values()]
      .filter((shape) => shape.failed.size > 0)
      .toSorted((a, b) => sumOf(b.failed) - sumOf(a.failed));
    const leftOut: LeftOut[] = [
      ...(this.bad === 0
        ? []
        : [
            {
              line: this.firstBad?.line ?? null,
              what: `${this.bad.toLocaleString('en-US')} of ${this.lines.toLocaleString('en-US')} lines could not be read; this is the first: ${this.firstBad?.text}`,
            },
          ]),
      ...[...this.others].map(([what, { line, count }]) => ({
        line,
        what: `${what} (${count.toLocaleString('en-US')} times)`,
      })),
      ...bodies.map(({ method, path, line }) => ({
        line,
        what: `${method} ${path}: its body, which no log has`,
      })),
      ...failed.slice(0, MOST_NAMED).map(({ method, path, line, count, failed: of }) => ({
        line,
        what: `${method} ${path}: its ${[...of].map(([status, times]) => `${times.toLocaleString('en-US')} answers of ${status}`).join(' and ')}, of ${count.toLocaleString('en-US')}; for players these are failed operations`,
      })),
      ...(failed.length <= MOST_NAMED
        ? []
        : [
            {
              line: null,
              what: `answers of 3xx and 5xx to ${failed.length - MOST_NAMED} other shapes of requests`,
            },
          ]),
      ...(this.shapes.size < MOST_SHAPES
        ? []
        : [{ line: null, what: `paths beyond the first ${MOST_SHAPES.toLocaleString('en-US')} shapes` }]),
      { line: null, what: 'queries, headers and cookies of the requests' },
    ];
    const from = new Date(of.from * 1000).toISOString().slice(0, 19).replace('T', ' ');
    return {
      description: `Proposed from the access log ${file}: its busiest minute, from ${from} UTC, with ${rounded(of.total / span)} requests a second (mean ${rounded(mean)})`,
      players: Math.max(1, of.clients.size),
      whyPlayers: `clients in that minute; ${this.clients.size.toLocaleString('en-US')} in the whole log`,
      connectsPerSecond: null,
      shape: steady(null),
      talk: { protocol: 'http', requests: requests.toSorted((a, b) => b.perSecond - a.perSecond) },
      budgets: [],
      target: null,
      leftOut,
    };
  }
}

const sumOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((a, b) => a + b, 0);

const rounded = (value: number): string => String(Number(value.toPrecision(3)));

/** `/users/{player}/items` for /users/17/items?page=2: ids of any kind stand for the number of the player. */
export function shapeOfPath(path: string): string {
  const [plain = '/'] = path.split(/[?#]/);
  const kept = plain
    .slice(0, LONGEST_PATH)
    .split('/')
    .map((part) => (isId(part) ? '{player}' : part))
    .join('/');
  const safe = kept.replaceAll(/[\s\\\p{Cc}]/gu, (one) => encodeURIComponent(one));
  return safe.startsWith('/') ? safe : `/${safe}`;
}

const isId = (part: string): boolean =>
  /^\d+$/.test(part) ||
  /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(part) ||
  /^(?=.*\d)[\da-f]{12,}$/i.test(part) ||
  (/^[\w-]{16,}$/.test(part) && (part.match(/\d/g)?.length ?? 0) >= 4) ||
  /^[\w.+-]+(?:@|%40)[\w.-]+$/.test(part);

/** The request of a line; null where it is none. */
function entryOf(text: string): Entry | null {
  return text.trimStart().startsWith('{') ? ofJson(text) : ofCommon(text);
}

const COMMON = /^(\S+) \S+ .*?\[([^\]]{10,40})\] "((?:[^"\\]|\\.){0,20000}?)" (\d{3}) /;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function ofCommon(text: string): Entry | null {
  const [, client = '', time = '', request = '', status = ''] =
    COMMON.exec(text.length > 30_000 ? text.slice(0, 30_000) : `${text} `) ?? [];
  const at = commonTime(time);
  return at === null ? null : ofRequest(at, client, request, Number(status));
}

/** `10/Oct/2000:13:55:36 -0700` */
function commonTime(text: string): number | null {
  const [, day, month = '', year, hour, minute, second, sign, hours, minutes] =
    /^(\d{2})\/(\w{3})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/.exec(text) ?? [];
  const index = MONTHS.indexOf(month);
  if (index < 0) return null;
  const local =
    Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second)) / 1000;
  return local - (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

function ofRequest(at: number, client: string, request: string, status: number): Entry | null {
  const [method = '', url = ''] = request.split(' ');
  const path = url.replace(/^https?:\/\/[^/]*/, '');
  return /^[A-Z]{3,10}$/.test(method) && path.startsWith('/') ? { at, client, method, path, status } : null;
}

const KEYS = {
  at: ['time_iso8601', 'time_local', '@timestamp', 'timestamp', 'time', 'ts', 'msec', 'date'],
  client: ['remote_addr', 'client_ip', 'clientip', 'remote_ip', 'ip', 'client', 'remoteAddress'],
  request: ['request', 'request_line'],
  method: ['request_method', 'method', 'verb'],
  path: ['request_uri', 'uri', 'path', 'url'],
  status: ['status', 'status_code', 'statusCode', 'response_status', 'code'],
};

function ofJson(text: string): Entry | null {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof line !== 'object' || line === null) return null;
  // Caddy, Traefik and others have the request as a map of its own.
  const inner: unknown = Reflect.get(line, 'request');
  const maps = [line, ...(typeof inner === 'object' && inner !== null ? [inner] : [])];
  const find = (names: readonly string[]): unknown => {
    for (const map of maps) {
      for (const name of names) {
        const value: unknown = Object.hasOwn(map, name) ? Reflect.get(map, name) : undefined;
        if (typeof value === 'string' || typeof value === 'number') return value;
      }
    }
    return undefined;
  };
  const at = timeOf(find(KEYS.at));
  if (at === null) return null;
  const client = String(find(KEYS.client) ?? '');
  const status = Number(find(KEYS.status) ?? 0);
  const request = find(KEYS.request);
  if (typeof request === 'string') return ofRequest(at, client, request, status);
  return ofRequest(at, client, `${String(find(KEYS.method) ?? '')} ${String(find(KEYS.path) ?? '')}`, status);
}

/** Seconds since 1970 of a number of seconds or milliseconds, or of a date. */
function timeOf(value: unknown): number | null {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\d+(\.\d+)?$/.test(value)
        ? Number(value)
        : null;
  if (number !== null) return number > 1e11 ? number / 1000 : number > 0 ? number : null;
  if (typeof value !== 'string') return null;
  const common = commonTime(value);
  if (common !== null) return common;
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? null : parsed / 1000;
}
