/**
 * The contract of a player module: what `players: { module: ./my-player.mjs }` in a scenario names.
 *
 *     /** @type {import('capbench/player').Connect} *\/
 *     export async function connect(context) { .. }     a player's session, once it is connected
 *     /** @type {import('capbench/player').Perform} *\/
 *     export function perform(session, operation, context) { .. }     one operation, each when it is due
 *     /** @type {import('capbench/player').Close} *\/
 *     export async function close(session) { .. }     the end of the session; may be left out
 *     /** @type {import('capbench/player').NullServer} *\/
 *     export async function nullServer(options) { .. }     what the players are calibrated against; may be left out
 *
 * The module is loaded once in each load worker, and `connect` is called there for each player of that worker.
 */

/**
 * What became of an operation. `ok` and `rejected` are answers (the rules of a game may well say no), and their latency
 * counts; `failed` is an error.
 */
export type Result = 'ok' | 'rejected' | 'failed';

/** One thing that a player is to do. */
export interface Operation {
  /** Dense for each player: 1, 2, 3 .., or from behind `lastNumber` of the session on. */
  readonly number: number;
  /** When it was due, in microseconds after the start of the load: its latency counts from here. */
  readonly due: number;
}

/** What a session may tell capbench; everything else in it is the module's own. */
export interface Session {
  /** The number of the last operation of this player that the server knows already; 0 when it is not there. */
  readonly lastNumber?: number;
}

/** A WebSocket as `Context.openSocket` opens it: one of the npm package `ws`. */
export interface PlayerSocket {
  readonly readyState: number;
  on(event: 'open', listener: () => void): this;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
  on(event: 'close', listener: (code: number, reason: Buffer) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  once(event: 'open', listener: () => void): this;
  once(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
  once(event: 'close', listener: (code: number, reason: Buffer) => void): this;
  once(event: 'error', listener: (error: Error) => void): this;
  off(event: string, listener: (...args: never[]) => void): this;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** What a player knows and may ask for. */
export interface Context {
  /** Of this player, from 0. */
  readonly player: number;
  /** In all. */
  readonly players: number;
  /** Base address of this player's server, http or https, without a slash at the end. */
  readonly url: string;
  /** Of all servers. */
  readonly urls: readonly string[];
  /** Where the name in `url` was found to be, once; null where `url` holds an address. Connect there. */
  readonly address: string | null;
  /** What every request to the server has to bear: the headers of `--header`, or the token of a server that capbench started. */
  readonly headers: Readonly<Record<string, string>>;
  /** Numbers in [0, 1) of this player's own: the same in every run with the scenario's seed. */
  random(): number;
  /** Microseconds after the start of the load; negative before it. */
  now(): number;
  /**
   * Says what became of an operation, once, whenever that is known. What is not settled within the scenario's `timeout`
   * is timed out; what is settled twice, or was never given, breaks the run.
   */
  settle(operation: Operation, result: Result): void;
  /** The connection has ended: what is unsettled has failed, and the player is lost (or connects again after a fault). */
  lost(reason?: string): void;
  /** Opens a WebSocket to the player's server; `path` begins with a slash. It is cut when the player ends. */
  openSocket(path: string): PlayerSocket;
  /** Aborted when the player's session has ended, however it ended. */
  readonly signal: AbortSignal;
  /** A line in the log of the load worker, which is in the bundle. */
  log(message: string): void;
}

/** Connects one player. Whatever it throws is why that player could not connect. */
export type Connect<S = Session> = (context: Context) => Promise<S> | S;

/**
 * Performs one operation. A result that it returns, or resolves to, settles the operation; when it returns nothing,
 * the module calls `context.settle` itself. What it throws makes the operation `failed`. It must not block: all players
 * of a worker share one event loop.
 */
export type Perform<S = Session> = (
  session: S,
  operation: Operation,
  context: Context,
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is of this type
) => Result | void | Promise<Result | void>;

/** Ends a session. */
export type Close<S = Session> = (session: S) => Promise<void> | void;

/** What a null server is started with. */
export interface NullServerOptions {
  /** Where it has to listen: the loopback address. The port is its own choice: 0 gives a free one. */
  readonly host: string;
  /** The players of the calibration send `authorization: Bearer <token>`, as `Context.headers` has it; nobody else on this host can. */
  readonly token: string;
}

/** A null server that listens. */
export interface StartedNullServer {
  /** As the players get it in `Context.url`: `http://127.0.0.1:4001`, and a path if there is one. */
  readonly url: string;
  /** Ends it; its process ends in any case. */
  close?(): Promise<void> | void;
}

/**
 * Starts a server that speaks the module's protocol, answers everything at once, and does nothing else. Before a run
 * the module's players play against it for a few seconds, faster than in the run: what they do not keep up with there
 * is their own limit, and no server's. It runs in a process of its own, one for each server of the scenario. Without
 * it only capbench's own part is calibrated, with players that make one round trip over a WebSocket for each operation.
 */
export type NullServer = (options: NullServerOptions) => Promise<StartedNullServer> | StartedNullServer;
