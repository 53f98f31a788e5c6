import type { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { codeOf, messageOf, stackFailed } from '../../../errors.ts';
import { npmInstall, packageName } from '../../../supervision/installed-packages.ts';
import { PACKAGES } from '../packages.ts';

/**
 * The parts of Colyseus 0.16 that this server uses. Its packages are optional dependencies, which only this process loads: so they are
 * described here, and imported when it starts.
 */

/** A connection that has a seat in a room. */
export interface Client {
  readonly sessionId: string;
  /** The socket. */
  readonly ref: EventEmitter;
  /** 1: the player has confirmed that it is in the room. */
  readonly state: number;
  view?: View;
  /** Sends bytes as they are. */
  raw(data: Uint8Array, ...rest: unknown[]): void;
  send(type: string, message: unknown): void;
  leave(code: number, reason?: string): void;
}
export const JOINED = 1;

/** What one client is sent of a state. */
export interface View {
  add(part: object): unknown;
  remove(part: object): unknown;
}

/** How a room is listed for those that look for one. */
export interface Listing {
  readonly roomId: string;
  save(): Promise<unknown> | undefined;
}

/** What Colyseus's `Room` gives to its subclasses. */
export interface RoomBase {
  readonly roomId: string;
  readonly clients: ArrayLike<Client>;
  readonly listing: Listing;
  state: object;
  patchRate: number | null;
  autoDispose: boolean;
  seatReservationTime: number;
  onMessage(type: string, handle: (client: Client, message: unknown) => void): unknown;
  /** Sends what has changed in the state since the last time. */
  broadcastPatch(): boolean;
  disconnect(code: number): Promise<unknown>;
}

export interface AuthContext {
  readonly headers: IncomingHttpHeaders;
}

export interface Driver {
  readonly _client: EventEmitter;
  has(roomId: string): Promise<boolean>;
  /** Forgets the rooms of a process. */
  cleanup(processId: string): Promise<unknown>;
  shutdown(): unknown;
}

export interface Presence {
  readonly sub: EventEmitter;
  readonly pub: EventEmitter;
  subscribe(topic: string, receive: (message: unknown) => void): Promise<unknown>;
  publish(topic: string, message: unknown): Promise<unknown> | undefined;
  shutdown(): unknown;
}

interface ServerOptions {
  readonly transport: unknown;
  readonly driver: Driver;
  readonly presence: Presence;
  readonly publicAddress: string;
  readonly greet: boolean;
  readonly gracefullyShutdown: boolean;
  selectProcessIdToCreateRoom(room: string, options: { readonly zone?: unknown }): Promise<string>;
}

export interface Colyseus {
  readonly core: {
    readonly Room: new () => RoomBase;
    readonly Server: new (
      options: ServerOptions,
    ) => {
      define(name: string, room: unknown): { filterBy(options: readonly string[]): unknown };
      gracefullyShutdown(exit: boolean): Promise<void>;
    };
    readonly ServerError: new (code: number, message: string) => Error;
    readonly matchMaker: {
      readonly processId: string;
      readonly stats: { excludeProcess(processId: string): Promise<unknown> };
      accept(): Promise<void>;
      createRoom(name: string, options: object): Promise<Listing>;
    };
  };
  readonly schema: {
    readonly Encoder: { BUFFER_SIZE: number };
    readonly StateView: new () => View;
    schema(fields: object): new () => object;
  };
  readonly transport: {
    readonly WebSocketTransport: new (options: {
      readonly server: HttpServer;
      readonly maxPayload: number;
      verifyClient(
        info: { readonly req: IncomingMessage },
        done: (ok: boolean, status?: number, why?: string) => void,
      ): void;
    }) => object;
  };
  readonly driver: { readonly RedisDriver: new (options: RedisOptions) => Driver };
  readonly presence: { readonly RedisPresence: new (options: RedisOptions) => Presence };
}

interface RedisOptions {
  readonly host: string;
  readonly port: number;
  readonly password?: string;
  readonly db: number;
  readonly connectionName: string;
  /** RESP2, whatever the version of ioredis speaks otherwise. */
  readonly protocol: 2;
  readonly disableClientInfo: boolean;
  readonly maxRetriesPerRequest: number;
  readonly enableReadyCheck: boolean;
  retryStrategy(): number;
}

/** Between two attempts of Colyseus to reconnect to Redis; and after how many of them a command fails. */
const RECONNECT = { everyMs: 250, attempts: 4 };

export function redisOptions(url: string, connectionName: string): RedisOptions {
  const { hostname, port, password, pathname } = new URL(url);
  return {
    ...{ host: hostname, port: Number(port || 6_379), db: Number(pathname.slice(1) || 0), connectionName },
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...{ protocol: 2, disableClientInfo: true },
    maxRetriesPerRequest: RECONNECT.attempts,
    // It asks with a command that a connection with subscriptions refuses, and then reconnects.
    enableReadyCheck: false,
    retryStrategy: () => RECONNECT.everyMs,
  };
}

/** Connections that reconnect by themselves; what the server itself reports of Redis comes from its own connection. */
export function ignoreErrors({ _client }: Driver, { sub, pub }: Presence): void {
  for (const client of [_client, sub, pub]) client.on('error', () => undefined);
}

type Import = (name: string) => Promise<unknown>;
const importPackage: Import = (name) => import(name);

/** @throws CapbenchError (93) that names the packages which cannot be loaded, and how they are installed */
export async function loadColyseus(load: Import = importPackage): Promise<Colyseus> {
  const missing: string[] = [];
  const loaded = await Promise.all(
    Object.entries(PACKAGES).map(async ([part, wanted]) => {
      const name = packageName(wanted);
      try {
        return [part, await load(name)] as const;
      } catch (error) {
        if (!NOT_FOUND.has(codeOf(error))) throw error;
        // It may be there, and lack a package of its own.
        const lacks = /'([^']+)'/.exec(messageOf(error))?.[1] ?? name;
        missing.push(lacks === name ? wanted : `${wanted} (without ${lacks})`);
        return [part, null] as const;
      }
    }),
  );
  if (missing.length > 0) {
    throw stackFailed(
      `massless needs ${missing.length === 1 ? 'a package that is' : 'packages that are'} not installed: ${missing.join(', ')}`,
      npmInstall(Object.values(PACKAGES)),
    );
  }
  return Object.fromEntries(loaded) as unknown as Colyseus;
}

/** Of modules, and of CommonJS. */
const NOT_FOUND: ReadonlySet<string> = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);
