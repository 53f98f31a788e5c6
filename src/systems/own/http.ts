import type { Socket } from 'node:net';
import { buildConnector, type Dispatcher, errors, Pool } from 'undici';
import { dialOptions } from '../../address/access.ts';
import {
  type CauseKind,
  causeOfAnswer,
  causeOfError,
  sentenceOf,
  unexplained,
} from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import { OUTCOME, type Outcome } from '../../load/outcome.ts';
import type { Connection, Dialler, Listener, Protocol, Route } from '../../load/player/connection.ts';
import { CONNECT_TIMEOUT_MS } from '../../load/player/socket.ts';
import type { SocketPlan } from '../../load/player/socket-protocol.ts';
import { WeightedChoice } from '../../load/player/weighted-choice.ts';
import type { Workload } from '../../scenario/workload.ts';
import { withPlayer } from './players.ts';
import type { HttpPlayers } from './players-schema.ts';

/** More than any answer that a player waits for. */
const MOST_ANSWER = 16 * 2 ** 20;
/** A server may close a connection on which nothing comes; one that was idle for so long is not begun with. */
const FRESH = 4e6;
const ENDLESS = "a server's answer began, and did not end within load.timeout";

/** `outstanding` requests of a player are under way at once. */
interface HttpPlan extends Omit<SocketPlan, 'codec'>, Pick<Workload, 'seed' | 'outstanding' | 'timeout'> {
  readonly players: HttpPlayers;
}

/** Players over HTTP/1.1, each with keep-alive connections of its own: one for each request that is under way. */
export class HttpProtocol implements Protocol {
  private readonly plan;

  constructor(plan: HttpPlan) {
    this.plan = { ...plan, choice: new WeightedChoice(plan.players.requests, plan.seed, plan.ids) };
  }

  /** A player is connected when its server has accepted a connection; the first request takes that one. */
  dial(player: number, dialler: Dialler): void {
    const route = this.plan.route(player);
    const { url, source } = route;
    const { hostname, protocol, port, host } = new URL(url);
    const begin = monotonic();
    const connector = buildConnector({ timeout: CONNECT_TIMEOUT_MS, ...dialOptions(route) });
    const connect = (callback: buildConnector.Callback): void =>
      connector(
        { hostname: hostname.replace(/^\[|\]$/g, ''), host, protocol, port, localAddress: source },
        callback,
      );
    connect((error, socket) => {
      if (error !== null) return dialler.refused(player, causeOfError(error));
      if (!dialler.isOpen) {
        socket.destroy();
        return dialler.refused(player, unexplained('given up'));
      }
      const connection = new HttpConnection(player, route, this.plan, connect, socket);
      dialler.welcomed(player, connection, { lastSequence: null, stated: null }, monotonic() - begin);
    });
  }
}

class HttpConnection implements Connection {
  isOpen = true;
  private readonly player: number;
  private readonly plan: HttpProtocol['plan'];
  private readonly pool: Pool;
  private readonly requests: readonly Dispatcher.DispatchOptions[];
  /** Those that are open; and what was transferred: by those that are not, and as far as it has been told. */
  private readonly sockets = new Set<Socket>();
  private readonly past = { in: 0, out: 0 };
  private readonly told = { in: 0, out: 0 };
  private first: Socket | null;
  private listener: Listener | null = null;

  constructor(
    player: number,
    { url, headers }: Route,
    plan: HttpProtocol['plan'],
    connect: (callback: buildConnector.Callback) => void,
    socket: Socket,
  ) {
    const { origin, pathname } = new URL(url);
    const id = plan.ids[player]!;
    this.player = player;
    this.plan = plan;
    this.requests = plan.players.requests.map(({ method, path, body: text }): Dispatcher.DispatchOptions => {
      const body = text === undefined ? null : withPlayer(text, id);
      return {
        method,
        path: pathname.replace(/\/$/, '') + withPlayer(path, id),
        body,
        headers: { ...headers, ...(body === null ? {} : { 'content-type': contentTypeOf(body) }) },
      };
    });
    this.first = socket;
    this.meter(socket);
    const since = monotonic();
    // Until its pool has it, nobody else listens.
    socket.on('error', () => {});
    const patience = Math.max(1, Math.ceil(plan.timeout / 1e3));
    this.pool = new Pool(origin, {
      connections: plan.outstanding,
      pipelining: 1,
      headersTimeout: patience,
      bodyTimeout: patience,
      maxResponseSize: MOST_ANSWER,
      connect: (_options, callback) => {
        const ready = this.first;
        this.first = null;
        if (ready !== null && !ready.destroyed && monotonic() - since < FRESH) {
          // The pool does not expect to be answered while it asks: it would forget the request.
          queueMicrotask(() => callback(null, ready));
          return;
        }
        ready?.destroy();
        connect((...result) => {
          const [, socket] = result;
          if (socket !== null) this.meter(socket);
          callback(...result);
        });
      },
    });
  }

  listen(listener: Listener): void {
    this.listener = listener;
  }

  send(_operation: number, sequence: number): number {
    const request = this.requests[this.plan.choice.draw(this.player)]!;
    const sent = monotonic();
    let status = 0;
    let location: string | undefined;
    this.pool.dispatch(request, {
      onRequestStart: () => {},
      onResponseStart: (_controller, statusCode, headers) => {
        status = statusCode;
        location = headers.location?.toString();
      },
      onResponseData: (controller) => {
        // As long as something comes, the pool waits: the player does not.
        if (monotonic() - sent > this.plan.timeout) controller.abort(new Error(ENDLESS));
      },
      onResponseEnd: () => this.settle(sequence, this.outcomeOf(status, location, request.method)),
      onResponseError: (_controller, error) => {
        if (this.isOpen) this.complain(error);
        this.settle(sequence, OUTCOME.failed);
      },
    });
    // What is carried is told with the answer: headers, and whatever else the sockets saw.
    return 0;
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

  private meter(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.past.in += socket.bytesRead;
      this.past.out += socket.bytesWritten;
    });
  }

  private reportTraffic(listener: Listener): void {
    const { past, told } = this;
    let [bytesIn, bytesOut] = [past.in, past.out];
    for (const { bytesRead, bytesWritten } of this.sockets) {
      bytesIn += bytesRead;
      bytesOut += bytesWritten;
    }
    listener.transferred(bytesIn - told.in, bytesOut - told.out);
    told.in = bytesIn;
    told.out = bytesOut;
  }

  private settle(sequence: number, outcome: Outcome): void {
    const { listener, player } = this;
    if (listener === null) return;
    this.reportTraffic(listener);
    if (!listener.received(player, this, 0)) return;
    listener.answered(player, sequence, outcome);
    listener.receivedAll(player);
  }

  private outcomeOf(status: number, location: string | undefined, method: string): Outcome {
    if (status >= 200 && status < 300) return OUTCOME.ok;
    const isRejection = status >= 400 && status < 500;
    const cause = causeOfAnswer(status, location);
    // A game may say no for reasons of its own; who is not let in at all is told why.
    if (!isRejection || NOT_LET_IN.has(cause.kind)) {
      this.plan.errors.add(`a server answered ${method} with ${sentenceOf(cause)}`);
    }
    return isRejection ? OUTCOME.rejected : OUTCOME.failed;
  }

  /** Why there was no answer, or not all of one. */
  private complain(error: Error): void {
    const counts = this.plan.errors;
    if (error.message === ENDLESS || error instanceof errors.BodyTimeoutError) counts.add(ENDLESS);
    else counts.addCause("a request of a player's has failed", causeOfError(error));
  }
}

const NOT_LET_IN: ReadonlySet<CauseKind> = new Set(['unauthorized', 'policy']);

function contentTypeOf(body: string): string {
  try {
    JSON.parse(body);
    return 'application/json';
  } catch {
    return 'text/plain; charset=utf-8';
  }
}
