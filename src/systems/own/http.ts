import type { Socket } from 'node:net';
import { buildConnector, type Dispatcher, errors, Pool } from 'undici';
import { dialOptions } from '../../address/access.ts';
import {
  type Cause,
  type CauseKind,
  causeOfAnswer,
  causeOfError,
  sentenceOf,
  unexplained,
} from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import { OUTCOME, type Outcome } from '../../load/outcome.ts';
import type { Connection, Dialler, Listener, Protocol, Route } from '../../load/player/connection.ts';
import { PlayerSockets } from '../../load/player/player-sockets.ts';
import { CONNECT_TIMEOUT_MS } from '../../load/player/socket.ts';
import type { SocketPlan } from '../../load/player/socket-protocol.ts';
import type { Workload } from '../../scenario/workload.ts';
import { type Body, bodyFill } from './body.ts';
import { Choices } from './choices.ts';
import { headersOf, type Login, NO_SESSION } from './login.ts';
import type { PlayerValues } from './player-values.ts';
import type { HttpPlayers } from './players-schema.ts';
import { type Fill, namesIn, pathFill } from './template.ts';

/** Limit of an answer's size. */
const MOST_ANSWER = 16 * 2 ** 20;
/** Connections are kept until the server closes them: browsers keep theirs for minutes, too. */
const LONGEST_IDLE_MS = 24 * 3600e3;
/** Of what a server says how long it keeps an idle connection, this is left for the way to it. */
const HINT_MARGIN_MS = 500;
const NO_WELCOME = { lastSequence: null, stated: null };
const SLOW_ANSWER = "a server's answer started but did not end within load.timeout";

/** A player has at most `outstanding` unanswered requests. */
interface HttpPlan
  extends Omit<SocketPlan, 'codec'>,
    Pick<Workload, 'seed' | 'operations' | 'outstanding' | 'timeout'> {
  readonly players: HttpPlayers;
  readonly values: PlayerValues;
  /** Absent: players do not log in. */
  readonly login: Login | null;
}

/** A request of the scenario, whose texts are filled for each player. */
interface Request {
  readonly method: Dispatcher.HttpMethod;
  readonly path: Fill;
  readonly body: Body | null;
  /** It is the same for every operation of a player. */
  readonly isFixed: boolean;
}

function requestOf({ method, path, body }: HttpPlayers['requests'][number], { of }: PlayerValues): Request {
  const isFixed = !namesIn(path + JSON.stringify(body ?? '')).includes('id');
  return { method, path: pathFill(path, of), body: bodyFill({ body }, of), isFixed };
}

/** Players over HTTP/1.1, each with its own keep-alive connections, one per unanswered request. */
export class HttpProtocol implements Protocol {
  readonly sockets = new PlayerSockets();
  readonly countsSockets = true;
  private readonly plan;

  constructor(plan: HttpPlan) {
    const { players, operations, seed, ids, values } = plan;
    this.plan = {
      ...plan,
      choices: new Choices(players.requests, operations, seed, ids),
      requests: players.requests.map((request) => requestOf(request, values)),
    };
  }

  /** A player is connected when its server has accepted a connection, which the first request uses, and it has logged in. */
  dial(player: number, dialler: Dialler): void {
    const route = this.plan.route(player);
    const { url, source } = route;
    const { hostname, protocol, port, host } = new URL(url);
    const begin = monotonic();
    const connector = buildConnector({ timeout: CONNECT_TIMEOUT_MS, ...dialOptions(route) });
    const connect = (callback: buildConnector.Callback): void =>
      connector(
        { hostname: hostname.replace(/^\[|\]$/g, ''), host, protocol, port, localAddress: source },
        (...result) => {
          const [error, socket] = result;
          if (error === null) this.sockets.add(socket);
          callback(...result);
        },
      );
    connect((error, socket) => {
      if (error !== null) return dialler.refused(player, causeOfError(error));
      if (!dialler.isOpen) {
        socket.destroy();
        return dialler.refused(player, unexplained('cancelled'));
      }
      const connection = new HttpConnection(player, route, this.plan, connect, socket);
      void connection.logIn().then((cause) => {
        const late = cause ?? (dialler.isOpen ? null : unexplained('cancelled'));
        if (late === null) {
          const took = monotonic() - begin;
          const welcome = this.plan.login === null ? NO_WELCOME : { ...NO_WELCOME, loggedInAfter: took };
          return dialler.welcomed(player, connection, welcome, took);
        }
        connection.cut();
        dialler.refused(player, late);
      });
    });
  }
}

class HttpConnection implements Connection {
  isOpen = true;
  private readonly player: number;
  private readonly plan: HttpProtocol['plan'];
  private readonly pool: Pool;
  private readonly route: Route;
  /** Before each path. */
  private readonly prefix: string;
  private session = NO_SESSION();
  /** Requests that are the same for every operation, and the headers of all, until a cookie changes. */
  private readonly fixed: (Dispatcher.DispatchOptions | undefined)[] = [];
  private headers: Readonly<Record<string, string>>;
  private first: Socket | null;
  private listener: Listener | null = null;

  constructor(
    player: number,
    route: Route,
    plan: HttpProtocol['plan'],
    connect: (callback: buildConnector.Callback) => void,
    socket: Socket,
  ) {
    const { origin, pathname } = new URL(route.url);
    this.player = player;
    this.plan = plan;
    this.route = route;
    this.prefix = pathname.replace(/\/$/, '');
    this.headers = headersOf(route, this.session);
    this.first = socket;
    // Without a listener, an error before the pool uses it would be thrown.
    socket.on('error', () => {});
    const timeoutMs = Math.max(1, Math.ceil(plan.timeout / 1e3));
    this.pool = new Pool(origin, {
      connections: plan.outstanding,
      pipelining: 1,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: MOST_ANSWER,
      keepAliveTimeout: LONGEST_IDLE_MS,
      keepAliveMaxTimeout: LONGEST_IDLE_MS,
      keepAliveTimeoutThreshold: HINT_MARGIN_MS,
      connect: (_options, callback) => {
        const ready = this.first;
        this.first = null;
        // A server that was asked nothing and sends something is about to end the connection.
        if (ready !== null && !ready.destroyed && ready.readableLength === 0) {
          // Called synchronously, the pool would lose the request.
          queueMicrotask(() => callback(null, ready));
          return;
        }
        ready?.destroy();
        connect(callback);
      },
    });
  }

  listen(listener: Listener): void {
    this.listener = listener;
  }

  send(operation: number, sequence: number): number {
    const request = this.request(this.plan.choices.draw(this.player, operation), sequence);
    const sent = monotonic();
    let status = 0;
    let location: string | undefined;
    this.pool.dispatch(request, {
      onRequestStart: () => {},
      onResponseStart: (_controller, statusCode, headers) => {
        status = statusCode;
        location = headers.location?.toString();
        if (headers['set-cookie'] !== undefined) this.takeCookies(headers['set-cookie']);
      },
      onResponseData: (controller) => {
        // The pool's timeout restarts with every chunk; the player's does not.
        if (monotonic() - sent > this.plan.timeout) controller.abort(new Error(SLOW_ANSWER));
      },
      onResponseEnd: () => this.settle(sequence, this.outcomeOf(status, location, request.method)),
      onResponseError: (_controller, error) => {
        if (this.isOpen) this.reportError(error);
        this.settle(sequence, OUTCOME.failed);
      },
    });
    // Bytes are those of the sockets.
    return 0;
  }

  /** Logs the player in, if players do; why it could not, or null. */
  async logIn(): Promise<Cause | null> {
    const { login } = this.plan;
    if (login === null) return null;
    const result = await login.perform(this.player, this.route, this.pool);
    if ('what' in result) return result;
    this.session = result;
    this.renew();
    return null;
  }

  close(): void {
    this.cut();
  }

  cut(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.first?.destroy();
    this.pool.destroy(null, () => this.listener?.ended(this.player, this));
  }

  private request(index: number, sequence: number): Dispatcher.DispatchOptions {
    const known = this.fixed[index];
    if (known !== undefined) return known;
    const { player, prefix, headers } = this;
    const { method, path, body, isFixed } = this.plan.requests[index]!;
    const request: Dispatcher.DispatchOptions = {
      method,
      // Else undici ends the connection after HEAD, and after GET, DELETE and OPTIONS with a body.
      reset: false,
      path: prefix + path(player, sequence),
      body: body?.text(player, sequence) ?? null,
      headers: body === null ? headers : { ...headers, 'content-type': body.type },
    };
    if (isFixed) this.fixed[index] = request;
    return request;
  }

  /** As a browser does, also of answers after the log-in. */
  private takeCookies(header: string | string[]): void {
    if (this.session.cookies.take(header)) this.renew();
  }

  private renew(): void {
    this.headers = headersOf(this.route, this.session);
    this.fixed.length = 0;
  }

  private settle(sequence: number, outcome: Outcome): void {
    const { listener, player } = this;
    if (listener === null) return;
    if (!listener.received(player, this, 0)) return;
    listener.answered(player, sequence, outcome);
    listener.receivedAll(player);
  }

  private outcomeOf(status: number, location: string | undefined, method: string): Outcome {
    if (status >= 200 && status < 300) return OUTCOME.ok;
    const isRejection = status >= 400 && status < 500;
    const { values } = this.plan;
    const cause = causeOfAnswer(
      status,
      location === undefined ? undefined : values.redacted(this.player, location),
    );
    // A 4xx is a rejection by the game and no error, except for refused access.
    if (!isRejection || ACCESS_REFUSED.has(cause.kind)) {
      this.plan.errors.add(`a server answered ${method} with ${sentenceOf(cause)}`);
    }
    return isRejection ? OUTCOME.rejected : OUTCOME.failed;
  }

  /** Adds why an answer is missing or incomplete. */
  private reportError(error: Error): void {
    const counts = this.plan.errors;
    if (error.message === SLOW_ANSWER || error instanceof errors.BodyTimeoutError) counts.add(SLOW_ANSWER);
    else counts.addCause("a player's request failed", causeOfError(error));
  }
}

const ACCESS_REFUSED: ReadonlySet<CauseKind> = new Set(['unauthorized', 'policy']);
