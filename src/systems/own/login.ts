import type { Socket } from 'node:net';
import { buildConnector, Client, type Dispatcher, errors } from 'undici';
import { dialOptions } from '../../address/access.ts';
import { type Cause, causeOfAnswer, causeOfError, unexplained } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import { parseJson } from '../../load/json.ts';
import type { Dialler, Protocol, Route } from '../../load/player/connection.ts';
import type { PlayerSockets } from '../../load/player/player-sockets.ts';
import { CONNECT_TIMEOUT_MS } from '../../load/player/socket.ts';
import { bodyFill } from './body.ts';
import { Cookies } from './cookies.ts';
import { at } from './json.ts';
import type { PlayerValues } from './player-values.ts';
import type { LoginRequest } from './players-schema.ts';
import { pathFill } from './template.ts';

const LARGEST_ANSWER = 2 ** 20;

const LOGIN_HINT =
  "compare the request (players.login) and its values (players.data) with what the server expects, and see the server's own log";
const SESSION_HINT =
  'the server answered the log-in and refuses what came of it: see whether it wants the token (login.tokenAt, or {token} in players.path) or a cookie';
const SLOW_HINT =
  "see the server's own log for the request (players.login.path): it must end its answer, and keep up with log-ins (lower load.connectsPerSecond if not)";

/** What a player has after its login: what all its later requests carry. */
export interface Session {
  readonly cookies: Cookies;
  readonly token: string | null;
}

export const NO_SESSION = (): Session => ({ cookies: new Cookies(), token: null });

/** The headers of a player's requests: those of its route, its cookies, and its token. */
export function headersOf(
  { headers = {} }: Route,
  { cookies, token }: Session,
): Readonly<Record<string, string>> {
  if (token === null && cookies.isEmpty) return headers;
  const kept = Object.entries(headers).filter(([name]) => token === null || !/^authorization$/i.test(name));
  const others = kept.filter(([name]) => !/^cookie$/i.test(name));
  const given = kept.filter(([name]) => /^cookie$/i.test(name)).map(([, value]) => value);
  return {
    ...Object.fromEntries(others),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(cookies.isEmpty && given.length === 0
      ? {}
      : { cookie: [...given, cookies.text].filter(Boolean).join('; ') }),
  };
}

/** Logs players in. */
export class Login {
  private readonly values: PlayerValues;
  private readonly requestOf: (player: number, prefix: string) => Dispatcher.RequestOptions;
  private readonly tokenAt: readonly string[] | null;
  private readonly limitMs: number;

  /** `limitMs`: of one log-in. */
  constructor(login: LoginRequest, values: PlayerValues, limitMs = CONNECT_TIMEOUT_MS) {
    const path = pathFill(login.path, values.of);
    const body = bodyFill(login, values.of);
    this.values = values;
    this.limitMs = limitMs;
    this.tokenAt = login.tokenAt?.split('.') ?? null;
    this.requestOf = (player, prefix) => ({
      method: login.method ?? 'POST',
      // The connection is kept, as http.ts keeps it.
      reset: false,
      path: prefix + path(player, 0),
      body: body?.text(player, 0) ?? null,
      headers: body === null ? {} : { 'content-type': body.type },
    });
  }

  /** One request through `client`; a session, or why there is none. */
  async perform(player: number, route: Route, client: Dispatcher): Promise<Session | Cause> {
    const { pathname } = new URL(route.url);
    const { headers, ...request } = this.requestOf(player, pathname.replace(/\/$/, ''));
    // The client's own limits begin again with every chunk of an answer.
    const signal = AbortSignal.timeout(this.limitMs);
    try {
      const answer = await client.request({ ...request, headers: { ...route.headers, ...headers }, signal });
      const text = await answer.body.text();
      const { statusCode: status } = answer;
      const cookies = new Cookies();
      cookies.take(answer.headers['set-cookie']);
      // After the form of a log-in, servers redirect.
      const isIn = (status >= 200 && status < 300) || (status >= 300 && status < 400 && !cookies.isEmpty);
      if (!isIn) {
        const location = answer.headers.location?.toString();
        const cause = causeOfAnswer(status, location);
        return refused(cause, this.values.redacted(player, cause.what));
      }
      const token = this.tokenAt === null ? null : tokenIn(text, this.tokenAt);
      if (token === undefined) {
        const what = `log-in: the answer has no token at ${this.tokenAt?.join('.')} (login.tokenAt)`;
        return { kind: 'other', what, hint: LOGIN_HINT };
      }
      if (token !== null) this.values.tokens[player] = token;
      return { cookies, token };
    } catch (error) {
      const isSlow = error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
      if (signal.aborted || isSlow) {
        const limit = signal.aborted ? `${this.limitMs / 1e3} s` : 'load.timeout';
        return { kind: 'other', what: `log-in: no whole answer within ${limit}`, hint: SLOW_HINT };
      }
      const cause = causeOfError(error);
      return { ...cause, what: `log-in: ${cause.what}` };
    }
  }
}

/** An answer that refuses the log-in: the connection was not refused, and its credentials are not those of --header. */
const refused = ({ kind, hint }: Cause, what: string): Cause => ({
  kind: 'other',
  what: `log-in: ${what}`,
  hint: hint === null || kind === 'unauthorized' ? LOGIN_HINT : hint,
});

/** Only what a header can carry. */
function tokenIn(text: string, keys: readonly string[]): string | undefined {
  const token = at(parseJson(text), keys);
  if (typeof token === 'number') return String(token);
  return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
}

interface FirstLogin {
  readonly login: Login;
  readonly route: (player: number) => Route;
  readonly sockets: PlayerSockets;
  readonly sessions: (Session | null)[];
}

/** Players who log in by a request before they connect in another protocol. */
export const afterLogin = (inner: Protocol, { login, route, sockets, sessions }: FirstLogin): Protocol => ({
  sockets: inner.sockets,
  countsSockets: inner.countsSockets,
  dial(player: number, dialler: Dialler): void {
    const to = route(player);
    const begin = monotonic();
    const client = clientOf(to, sockets);
    void login.perform(player, to, client).then((result) => {
      client.destroy().catch(() => undefined);
      if (!dialler.isOpen) return dialler.refused(player, unexplained('cancelled'));
      if ('what' in result) return dialler.refused(player, result);
      sessions[player] = result;
      const took = monotonic() - begin;
      inner.dial(player, {
        get isOpen() {
          return dialler.isOpen;
        },
        welcomed: (one, connection, welcome, rest) =>
          dialler.welcomed(one, connection, { ...welcome, loggedInAfter: took }, took + rest),
        refused: (one, cause) =>
          dialler.refused(
            one,
            cause.kind === 'unauthorized' ? { ...cause, kind: 'other', hint: SESSION_HINT } : cause,
          ),
      });
    });
  },
});

function clientOf(route: Route, sockets: PlayerSockets): Client {
  const connector = buildConnector({ timeout: CONNECT_TIMEOUT_MS, ...dialOptions(route) });
  return new Client(new URL(route.url).origin, {
    headersTimeout: CONNECT_TIMEOUT_MS,
    bodyTimeout: CONNECT_TIMEOUT_MS,
    maxResponseSize: LARGEST_ANSWER,
    connect: (options, callback) =>
      connector({ ...options, localAddress: route.source }, (...result) => {
        const [error, socket] = result;
        if (error === null) sockets.add(socket as Socket);
        callback(...result);
      }),
  });
}
