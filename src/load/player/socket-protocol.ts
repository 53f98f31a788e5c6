import { type Cause, causeOfClose, unexplained } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import type { ErrorCounts } from '../error-counts.ts';
import type { Dialler, Protocol, Route, Welcome } from './connection.ts';
import type { PlayerCodec } from './player-codec.ts';
import { CONNECT_TIMEOUT_MS, onRefusal, openSocket, socketUrl } from './socket.ts';
import { SocketConnection } from './socket-connection.ts';

/** Of a server that welcomes nobody. */
const UNGREETED: Welcome = { lastSequence: null, stated: null };

export interface SocketPlan {
  /** Ids of the worker's players. */
  readonly ids: Int32Array;
  readonly codec: PlayerCodec;
  readonly route: (player: number) => Route;
  readonly errors: ErrorCounts;
}

/** Players over WebSocket. One is connected once it is welcomed, or at once where its codec knows no welcome. */
export class SocketProtocol implements Protocol {
  private readonly plan: SocketPlan;

  constructor(plan: SocketPlan) {
    this.plan = plan;
  }

  dial(player: number, dialler: Dialler): void {
    const { ids, codec, errors } = this.plan;
    const route = this.plan.route(player);
    const begin = monotonic();
    const socket = openSocket(
      socketUrl(route.url, codec.path(ids[player]!)),
      route.source,
      codec.mostPayload,
      route,
    );
    let timer: NodeJS.Timeout | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
    };
    let over = false;
    const fail = (cause: Cause): void => {
      if (over) return;
      over = true;
      settle();
      // Errors of a socket that is given up are nobody's business, but must not be thrown.
      socket.on('error', () => {});
      socket.terminate();
      dialler.refused(player, cause);
    };
    const enter = (welcome: Welcome | null): void => {
      if (!dialler.isOpen) {
        fail(unexplained('given up'));
      } else if (welcome === null) {
        fail(unexplained('the first frame was no welcome'));
      } else {
        settle();
        const connection = new SocketConnection(player, socket, codec, errors);
        dialler.welcomed(player, connection, welcome, monotonic() - begin);
      }
    };
    socket.on('open', () => {
      if (codec.welcome === undefined) {
        enter(UNGREETED);
        return;
      }
      const late = unexplained(`no welcome within ${CONNECT_TIMEOUT_MS / 1e3} s`);
      timer = setTimeout(() => fail(late), CONNECT_TIMEOUT_MS);
    });
    onRefusal(socket, fail);
    socket.on('close', (code, reason) => {
      const cause = causeOfClose(code, reason.toString());
      fail({ ...cause, what: `the server closed the connection before the welcome (${cause.what})` });
    });
    socket.on('message', (data) => enter(codec.welcome?.(player, data.toString()) ?? null));
  }
}
