import { monotonic } from '../../clock.ts';
import type { Complaints } from '../complaints.ts';
import type { Dialler, Protocol, Route } from './connection.ts';
import type { Voice, Welcome } from './player.ts';
import { CONNECT_TIMEOUT_MS, openSocket, socketUrl } from './socket.ts';
import { SocketConnection } from './socket-connection.ts';

/** A player is told of its place and of eight others; this is far more than any frame it is owed. */
const MOST_PAYLOAD = 256 * 1024;
/** Of a server that welcomes nobody. */
const UNGREETED: Welcome = { lastSequence: null, place: null };

export interface SocketPlan {
  /** Ids of the worker's players. */
  readonly ids: Int32Array;
  readonly voice: Voice;
  readonly route: (player: number) => Route;
  readonly complaints: Complaints;
}

/** Players over WebSocket. One is connected once it is welcomed, or at once where its voice knows no welcome. */
export class SocketProtocol implements Protocol {
  private readonly plan: SocketPlan;

  constructor(plan: SocketPlan) {
    this.plan = plan;
  }

  dial(player: number, dialler: Dialler): void {
    const { ids, voice, complaints } = this.plan;
    const route = this.plan.route(player);
    const begin = monotonic();
    const socket = openSocket(
      socketUrl(route.url, voice.path(ids[player]!)),
      route.source,
      MOST_PAYLOAD,
      route,
    );
    let timer: NodeJS.Timeout | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
    };
    const fail = (message: string): void => {
      settle();
      // Errors of a socket that is given up are nobody's business, but must not be thrown.
      socket.on('error', () => {});
      socket.terminate();
      dialler.refused(player, message);
    };
    const enter = (welcome: Welcome | null): void => {
      if (!dialler.isOpen) {
        fail('given up');
      } else if (welcome === null) {
        fail('the first frame was no welcome');
      } else {
        settle();
        const connection = new SocketConnection(player, socket, voice, complaints);
        dialler.welcomed(player, connection, welcome, monotonic() - begin);
      }
    };
    socket.on('open', () => {
      if (voice.welcome === undefined) {
        enter(UNGREETED);
        return;
      }
      timer = setTimeout(() => fail(`no welcome within ${CONNECT_TIMEOUT_MS / 1e3} s`), CONNECT_TIMEOUT_MS);
    });
    socket.on('error', (error) => fail(error.message));
    socket.on('close', (code) => fail(`the server closed the connection before the welcome (code ${code})`));
    socket.on('message', (data) => enter(voice.welcome?.(player, data.toString()) ?? null));
  }
}
