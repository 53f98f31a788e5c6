import type { Cause } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import { MicrosHistogram } from '../../hdr-histogram.ts';
import type { ConnectFacts } from '../engine.ts';
import type { ErrorCounts } from '../error-counts.ts';
import type { Connection, Dialler, Protocol, Welcome } from './connection.ts';
import type { PlayerPool } from './player-pool.ts';

const STEP_MS = 5;
/** Concurrent attempts to connect, per worker. */
export const MOST_IN_FLIGHT = 128;

/** Connects the players of a worker, at a limited rate and concurrency, each once. */
export class Connector implements Dialler {
  isOpen = true;
  failed = 0;
  /** Of the first player that could not connect. */
  refusal: Cause | null = null;
  private readonly latency = new MicrosHistogram();
  /** The two parts of the latency, of players who reported when they were logged in. */
  private readonly login = new MicrosHistogram();
  private readonly socket = new MicrosHistogram();
  private readonly pool: PlayerPool;
  private readonly protocol: Protocol;
  private readonly errors: ErrorCounts;
  private inFlight = 0;
  private started = 0;
  private done = 0;
  private step: NodeJS.Timeout | null = null;

  constructor(pool: PlayerPool, protocol: Protocol, errors: ErrorCounts) {
    this.pool = pool;
    this.protocol = protocol;
    this.errors = errors;
  }

  facts(): ConnectFacts {
    return {
      connected: this.done - this.failed,
      failed: this.failed,
      errors: this.errors.top(5),
      connect: this.latency.toData(),
      login: this.login.toData(),
      socket: this.socket.toData(),
    };
  }

  /** Starts no more attempts; connections that are welcomed later are closed. */
  stop(): void {
    this.isOpen = false;
    if (this.step !== null) clearInterval(this.step);
  }

  /** Resolves when each of these players is connected or has failed; never when stopped before. */
  connectAll(all: Int32Array, perSecond: number): Promise<void> {
    const begin = monotonic();
    const players = all.length;
    return new Promise((resolve) => {
      this.step = setInterval(() => {
        const allowed = Math.min(players, Math.floor(((monotonic() - begin) / 1e6) * perSecond) + 1);
        while (this.started < allowed && this.inFlight < MOST_IN_FLIGHT) {
          this.inFlight += 1;
          this.protocol.dial(all[this.started++]!, this);
        }
        if (this.done < players) return;
        this.stop();
        resolve();
      }, STEP_MS);
    });
  }

  welcomed(player: number, connection: Connection, welcome: Welcome, took: number): void {
    this.inFlight -= 1;
    this.done += 1;
    this.latency.record(took, 1);
    const { lastSequence, loggedInAfter } = welcome;
    if (loggedInAfter !== undefined) {
      this.login.record(loggedInAfter, 1);
      this.socket.record(Math.max(0, took - loggedInAfter), 1);
    }
    this.pool.welcome(player, connection, lastSequence);
  }

  refused(player: number, cause: Cause): void {
    this.inFlight -= 1;
    this.done += 1;
    this.failed += 1;
    this.refusal ??= cause;
    this.errors.addCause('a player could not connect', cause);
    this.pool.refuse(player);
  }
}
