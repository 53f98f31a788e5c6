import { WebSocket } from 'ws';
import { type Cause, causeOfClose, causeOfError, unexplained } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import type { ErrorCounts } from '../error-counts.ts';
import { frameBytes, MASK_BYTES } from '../frame-bytes.ts';
import type { Connection, Dialler, Listener, Protocol, Route, Welcome } from './connection.ts';
import { PlayerSockets } from './player-sockets.ts';
import { CONNECT_TIMEOUT_MS, onRefusal, openSocket, type SocketOffer, socketUrl } from './socket.ts';

const TEXT = { binary: false } as const;
const { OPEN } = WebSocket;

/** For protocols without a welcome. */
const NO_WELCOME: Welcome = { lastSequence: null, stated: null };

/**
 * Encodes and decodes the frames of one system's players over WebSocket. Players are numbered from 0 within the worker.
 */
export interface PlayerCodec {
  /** Longest accepted frame in bytes; a longer one ends the connection. */
  readonly mostPayload: number;
  /** The path of a player's socket; `playerId` is its id, `player` its number within the worker. */
  path(playerId: number, player: number): string;
  /** The first frame of a player; absent: the server speaks first, or nobody does. ASCII. */
  readonly hello?: (player: number) => string;
  /**
   * Reads the frames of a connection until one is a welcome: `later` for one that says nothing, null for one that cannot be
   * before a welcome. Absent: the protocol has none.
   */
  readonly welcome?: (
    player: number,
    frame: string,
  ) => Welcome | 'later' | { readonly refused: string; readonly hint: string } | null;
  /** What is said when no welcome comes, where a server must be asked for it; absent: it welcomes by itself. */
  readonly unwelcomed?: { readonly what: string; readonly hint: string };
  /** What a server said to a player, without secrets that it may repeat. Absent: there are none. */
  readonly redacted?: (player: number, text: string) => string;
  /** The frame of the player's next operation, by its index in the workload's operations. ASCII. */
  encode(player: number, operation: number, sequence: number): string;
  /** Reads any later frame; false when it violates the protocol. */
  decode(player: number, frame: string, listener: Listener): boolean;
}

export interface SocketPlan {
  /** Ids of the worker's players. */
  readonly ids: Int32Array;
  readonly codec: PlayerCodec;
  readonly route: (player: number) => Route;
  readonly errors: ErrorCounts;
  /** Absent: nothing is offered. */
  readonly offer?: SocketOffer;
}

/** Players over WebSocket. A player is connected when it is welcomed, or at once if the protocol has no welcome. */
export class SocketProtocol implements Protocol {
  readonly sockets = new PlayerSockets();
  /** The size of a compressed message is only known to its socket. */
  readonly countsSockets: boolean;
  private readonly plan: SocketPlan;

  constructor(plan: SocketPlan) {
    this.plan = plan;
    this.countsSockets = plan.offer?.deflate === true;
  }

  dial(player: number, dialler: Dialler): void {
    const { ids, codec, offer } = this.plan;
    const route = this.plan.route(player);
    const begin = monotonic();
    const socket = openSocket(
      socketUrl(route.url, codec.path(ids[player]!, player)),
      route.source,
      codec.mostPayload,
      route,
      offer,
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
      // Later errors of the socket do not matter, but without a listener they would be thrown.
      socket.on('error', () => {});
      socket.terminate();
      dialler.refused(player, cause);
    };
    const redacted = (text: string): string => codec.redacted?.(player, text) ?? text;
    const enter = (welcome: ReturnType<NonNullable<PlayerCodec['welcome']>>): void => {
      if (!dialler.isOpen) {
        fail(unexplained('cancelled'));
      } else if (welcome === 'later') {
        return;
      } else if (welcome === null) {
        fail(unexplained('the first frame was not a welcome'));
      } else if ('refused' in welcome) {
        fail({ kind: 'other', what: redacted(welcome.refused), hint: welcome.hint });
      } else {
        settle();
        const connection = new SocketConnection(player, socket, this.plan);
        dialler.welcomed(player, connection, welcome, monotonic() - begin);
      }
    };
    socket.on('upgrade', (response) => this.sockets.add(response.socket));
    socket.on('open', () => {
      if (codec.welcome === undefined) {
        enter(NO_WELCOME);
        return;
      }
      if (codec.hello !== undefined) socket.send(Buffer.from(codec.hello(player), 'latin1'), TEXT);
      const { what = 'no welcome', hint = null } = codec.unwelcomed ?? {};
      const late: Cause = { kind: 'other', what: `${what} within ${CONNECT_TIMEOUT_MS / 1e3} s`, hint };
      timer = setTimeout(() => fail(late), CONNECT_TIMEOUT_MS);
    });
    onRefusal(socket, (cause) => fail({ ...cause, what: redacted(cause.what) }));
    socket.on('close', (code, reason) => {
      const cause = causeOfClose(code, redacted(reason.toString()));
      const asked = cause.kind === 'closed' ? codec.unwelcomed : undefined;
      fail({
        ...(asked === undefined ? cause : { kind: 'other', hint: asked.hint }),
        what: `the server closed the connection before the welcome (${cause.what})`,
      });
    });
    socket.on('message', (data) =>
      enter(codec.welcome === undefined ? 'later' : codec.welcome(player, data.toString())),
    );
  }
}

/** A player's WebSocket. HOT. */
export class SocketConnection implements Connection {
  private readonly player: number;
  private readonly socket: WebSocket;
  private readonly codec: PlayerCodec;
  private readonly errors: ErrorCounts;
  /** Whether the sizes of frames are counted here. */
  private readonly countsFrames: boolean;
  /** Its end was caused by capbench, or is already in the errors. */
  private isReported = false;

  constructor(player: number, socket: WebSocket, { codec, errors, offer }: SocketPlan) {
    this.player = player;
    this.socket = socket;
    this.codec = codec;
    this.errors = errors;
    this.countsFrames = offer?.deflate !== true;
  }

  get isOpen(): boolean {
    return this.socket.readyState === OPEN;
  }

  listen(listener: Listener): void {
    const { socket, errors, player } = this;
    socket.on('message', (data) => {
      if (Buffer.isBuffer(data)) this.read(data, listener);
    });
    socket.on('error', (error) => {
      this.isReported = true;
      errors.addCause("a player's connection", causeOfError(error));
    });
    socket.on('close', (code, reason) => {
      if (!this.isReported)
        errors.addCause(
          "a server closed a player's connection",
          causeOfClose(code, this.redacted(reason.toString())),
        );
      listener.ended(player, this);
    });
  }

  send(operation: number, sequence: number): number {
    const frame = this.codec.encode(this.player, operation, sequence);
    // ws masks and frames a Buffer in one piece and one write; text would need a gathering write.
    this.socket.send(Buffer.from(frame, 'latin1'), TEXT);
    return this.countsFrames ? frameBytes(frame.length) + MASK_BYTES : 0;
  }

  close(): void {
    this.isReported = true;
    this.socket.close(1000);
  }

  cut(): void {
    this.isReported = true;
    this.socket.terminate();
  }

  private redacted(text: string): string {
    return this.codec.redacted?.(this.player, text) ?? text;
  }

  private read(data: Buffer, listener: Listener): void {
    const { player } = this;
    const bytes = this.countsFrames ? frameBytes(data.length) : 0;
    if (!listener.received(player, this, bytes)) return;
    if (this.codec.decode(player, data.toString(), listener)) {
      listener.receivedAll(player);
    } else {
      this.isReported = true;
      listener.unexpected(
        'a world server sent a player a frame that violates the protocol: capbench closed the connection',
      );
      listener.ended(player, this);
    }
  }
}
