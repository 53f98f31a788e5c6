/**
 * The contract of a player module: what `players: { module: ./my-player.mjs }` in a scenario names.
 *
 *     /** @type {import('capbench/player').Connect} *\/
 *     export async function connect(context) { .. }     resolves to a player's session once it is connected
 *     /** @type {import('capbench/player').Perform} *\/
 *     export function perform(session, operation, context) { .. }     performs one operation when it is due
 *     /** @type {import('capbench/player').Close} *\/
 *     export async function close(session) { .. }     ends the session; optional
 *     /** @type {import('capbench/player').Prepare} *\/
 *     export async function prepare(context) { .. }     prepares the run, once, before any player connects; optional
 *     /** @type {import('capbench/player').NullServer} *\/
 *     export async function nullServer(options) { .. }     starts the server that players are calibrated against; optional
 *
 * The module is loaded once in each load worker, and `connect` is called there for each player of that worker.
 */

/**
 * The outcome of an operation. `ok` and `rejected` are answers (a game's rules may refuse an operation), and their
 * latency counts; `failed` is an error. `idle`: the player may not do it now, and nothing was sent. It is counted, has no
 * latency, and is in no other share; `perform` has to say so at once, since what has awaited anything is `failed` instead.
 */
export type Result = 'ok' | 'rejected' | 'failed' | 'idle';

/** One operation of a player. */
export interface Operation {
  /** Its key in the scenario's `load.operations`; `intent` in a scenario that names no kinds. */
  readonly kind: string;
  /**
   * Consecutive for each player: 1, 2, 3 .., or starting after the session's `lastNumber`. An operation that is idle gives its
   * number back, unless the player was given another one meanwhile.
   */
  readonly number: number;
  /** The scheduled time, in microseconds after the start of the load: latency counts from here. */
  readonly due: number;
}

/** capbench reads this field of a session; everything else in it belongs to the module. */
export interface Session {
  /** The number of this player's last operation that the server already knows, up to 2^52; 0 when absent. */
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

/** The handshake of a WebSocket. */
export interface SocketOptions {
  /** Sub-protocols to offer, the preferred one first. */
  readonly subprotocols?: readonly string[];
  /** Offer permessage-deflate, as browsers do. */
  readonly deflate?: boolean;
  /** Beside `Context.headers`: a cookie, an origin. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The context of one player. */
export interface Context {
  /** The number of this player, from 0. */
  readonly player: number;
  /** The number of players of the scenario. */
  readonly players: number;
  /**
   * The group of this player, by `players.group`: `size` players with consecutive numbers, from `index * players.group` on, in one
   * load process and at one server. The last group may be smaller. `shared` is one object for all of them, also after they
   * have connected again, and the module's own.
   */
  readonly group: {
    readonly index: number;
    readonly size: number;
    readonly shared: Record<string, unknown>;
  };
  /** Base address of this player's server, http or https, without a slash at the end. */
  readonly url: string;
  /** The base addresses of all servers. */
  readonly urls: readonly string[];
  /** The address that the name in `url` was resolved to, once per run; null where `url` holds an address. Connect to it. */
  readonly address: string | null;
  /** Send these with every request: the headers of `--header`, or the token of a server that capbench started. */
  readonly headers: Readonly<Record<string, string>>;
  /** The variables of `--module-env`, by name. Their values are secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** This player's random numbers in [0, 1): the same in every run with the scenario's seed. */
  random(): number;
  /** Microseconds after the start of the load; negative before it. */
  now(): number;
  /**
   * Reports the outcome of an operation, once, at any time. An operation that is not settled within the scenario's
   * `timeout` is timed out; settling one twice, or one that was never scheduled, is an error that ends the run.
   */
  settle(operation: Pick<Operation, 'number'>, result: Result): void;
  /**
   * Begins an operation of a kind with `due: answer`, which follows from an answer: it is due now, and is performed soon after
   * this call, once fewer than `outstanding` operations of the player are unanswered. False when nothing more is begun: before
   * the start of the load, after the end of its schedule, for a player who is about to leave, and without a connection.
   * @throws an Error when the scenario has no such kind, or it has a schedule
   */
  start(kind: string): boolean;
  /**
   * Says that players have to hear of something that this player caused: those of an array of player numbers, all others, or
   * all. The key (a number, or a text of up to 200 characters) is what the message has that they will get: unique, and expected
   * once. `load.timeout` after the due time of the operation, which is the one that `perform` was given last unless it is
   * named, the key closes: who has not called `delivered` by then has lost it. It may be called after the others have heard.
   */
  expectDelivery(
    key: string | number,
    players: readonly number[] | 'others' | 'all',
    operation?: Pick<Operation, 'due'>,
  ): void;
  /** Says that this player has heard of the key; each player calls it for what it hears, in any load worker. */
  delivered(key: string | number): void;
  /**
   * Measures a figure of your own, `player.<name>` in report.json and for budgets: with a unit, the distribution of the
   * values in the measure phase; without one, their sum. A name is a letter a-z and then up to 31 letters and digits, at most
   * 50 names, each with one unit; a value is a number of 0 to 1e15.
   */
  measure(name: string, value: number, unit?: string): void;
  /** Reports that the connection has ended: unsettled operations fail, and the player is lost (or reconnects after a fault). */
  lost(reason?: string): void;
  /**
   * Opens a WebSocket to the player's server; `path` begins with a slash. It is terminated when the player ends. What
   * `options` leave out is as in `players:` of the scenario.
   */
  openSocket(path: string, options?: SocketOptions): PlayerSocket;
  /** What the module's `prepare` returned: the same object for all players of a load worker. Null without `prepare`. */
  readonly prepared: unknown;
  /**
   * Called in `connect`, once the player is logged in: the time to connect is then also reported in its two parts, the login
   * and the rest.
   */
  loggedIn(): void;
  /** Aborted when the player's session has ended, for any reason. */
  readonly signal: AbortSignal;
  /** Writes a line to the load worker's log, which is in the bundle. */
  log(message: string): void;
}

/** Connects one player. An error that it throws is reported as the reason why that player could not connect. */
export type Connect<S = Session> = (context: Context) => Promise<S> | S;

/**
 * Performs one operation. A result that it returns, or resolves to, settles the operation; when it returns nothing,
 * the module calls `context.settle` itself. An error that it throws makes the operation `failed`. It must not block:
 * all players of a worker share one event loop.
 */
export type Perform<S = Session> = (
  session: S,
  operation: Operation,
  context: Context,
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is of this type
) => Result | void | Promise<Result | void>;

/** The context of `prepare`. */
export interface PrepareContext extends Pick<Context, 'players' | 'urls' | 'headers' | 'env'> {
  /** Aborted when the run is stopped. */
  readonly signal: AbortSignal;
  /** Writes a line to prepare.log, which is in the bundle. */
  log(message: string): void;
}

/**
 * Prepares a run: accounts, a map, tokens. It runs once, in a process of its own, before any player connects, and not before
 * the calibration; it may take 5 minutes. What it returns is passed on as JSON, 1 MB at most (`Context.prepared`). An error
 * that it throws ends the run.
 */
export type Prepare = (context: PrepareContext) => unknown;

/** Ends a session. */
export type Close<S = Session> = (session: S) => Promise<void> | void;

/** The options of a null server. */
export interface NullServerOptions {
  /** Listen at this loopback address, at any free port (port 0). */
  readonly host: string;
  /** The calibration's players send `authorization: Bearer <token>` (in `Context.headers`); other processes do not know it. */
  readonly token: string;
}

/** A listening null server. */
export interface StartedNullServer {
  /** The players' `Context.url`: `http://127.0.0.1:4001`, with a path if there is one. */
  readonly url: string;
  /** Ends the server; its process ends in any case. */
  close?(): Promise<void> | void;
}

/**
 * Starts a server that speaks the module's protocol, answers every request at once, and does nothing else. Before a
 * run the module's players load it for a few seconds, faster than in the run: a rate that they do not sustain there is
 * the players' limit, not a server's. Each server of the scenario has one such process. Without a null server only
 * capbench's own part is calibrated, with players that make one WebSocket round trip for each operation.
 */
export type NullServer = (options: NullServerOptions) => Promise<StartedNullServer> | StartedNullServer;
