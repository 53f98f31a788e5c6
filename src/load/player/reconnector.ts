import type { Cause } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import type { MicrosHistogram } from '../../hdr-histogram.ts';
import { mulberry32, streamSeed } from '../../rng.ts';
import type { ErrorCounts } from '../error-counts.ts';
import { STREAM } from '../streams.ts';
import { WakeHeap } from '../wake-heap.ts';
import type { Connection, Dialler, Protocol, Welcome } from './connection.ts';
import { MOST_IN_FLIGHT } from './connector.ts';
import type { PlayerPool, ReconnectPolicy } from './player-pool.ts';

const STEP_MS = 5;
/** Seconds of delay that a late step may catch up, so that a busy host does not look like a slow reconnect. */
const CATCH_UP = 0.25;
/** After a connection that lasted this long (microseconds), the backoff starts again. */
const STABLE = 1_000_000;

interface ReconnectPlan {
  /** The pool of the players. */
  readonly target: Pick<PlayerPool, 'resume' | 'wants'>;
  readonly protocol: Protocol;
  readonly errors: ErrorCounts;
  readonly seed: number;
  /** Entity ids of the worker's players. */
  readonly ids: Int32Array;
  readonly perSecond: number;
  /** From the loss of a connection to the next welcome; microseconds. */
  readonly latency: MicrosHistogram;
  /** Called after a player has reconnected: the time since the loss, and the duration of the attempt. */
  readonly onBack: (sinceLost: number, took: number) => void;
}

/**
 * Reconnects players with exponential backoff, at a limited rate and concurrency, until it is stopped. A 409 (the server has
 * not noticed the end of the old connection) is retried like other failures.
 */
export class Reconnector implements Dialler, ReconnectPolicy {
  isOpen = true;
  private readonly plan: ReconnectPlan;
  /** Players by the time of their next attempt. */
  private readonly wakes: WakeHeap;
  private readonly lostAt: Float64Array;
  private readonly backAt: Float64Array;
  private readonly attempts: Uint32Array;
  /** By player: 1 while it waits for its next attempt, or makes it. */
  private readonly pending: Uint8Array;
  private inFlight = 0;
  /** Attempts that may be made now (token bucket). */
  private allowance = 1;
  private allowedAt = monotonic();
  private step: NodeJS.Timeout | null = null;

  constructor(plan: ReconnectPlan) {
    const players = plan.ids.length;
    this.plan = plan;
    this.wakes = new WakeHeap(players);
    this.lostAt = new Float64Array(players);
    this.backAt = new Float64Array(players);
    this.attempts = new Uint32Array(players);
    this.pending = new Uint8Array(players);
  }

  /** The player's connection has ended just now. */
  lost(player: number): void {
    const now = monotonic();
    this.lostAt[player] = now;
    if (now - this.backAt[player]! > STABLE) this.attempts[player] = 0;
    this.schedule(player, now);
  }

  /** The player has left (churn) or is not there yet, and joins after `away` microseconds. */
  left(player: number, away: number): void {
    this.attempts[player] = 0;
    this.lostAt[player] = monotonic() + away;
    this.wake(player, this.lostAt[player]!);
  }

  /** Starts no more attempts; connections that are welcomed later are closed. */
  stop(): void {
    this.isOpen = false;
    if (this.step !== null) clearInterval(this.step);
    this.step = null;
  }

  welcomed(player: number, connection: Connection, welcome: Welcome, took: number): void {
    const now = monotonic();
    this.inFlight -= 1;
    this.pending[player] = 0;
    this.backAt[player] = now;
    const sinceLost = now - this.lostAt[player]!;
    this.plan.latency.record(sinceLost, 1);
    this.plan.target.resume(player, connection, welcome);
    this.plan.onBack(sinceLost, took);
  }

  refused(player: number, cause: Cause): void {
    this.inFlight -= 1;
    this.pending[player] = 0;
    if (!this.isOpen) return;
    if (cause.kind !== 'conflict') this.plan.errors.addCause('a player could not connect again', cause);
    this.schedule(player, monotonic());
  }

  private schedule(player: number, now: number): void {
    const wait = backoff(this.plan.seed, this.plan.ids[player]!, this.attempts[player]!++);
    this.wake(player, now + wait);
  }

  private wake(player: number, at: number): void {
    // A player that is on its way already comes with that attempt.
    if (!this.isOpen || this.pending[player] === 1) return;
    this.pending[player] = 1;
    this.wakes.push(player, at);
    if (this.step !== null) return;
    this.allowedAt = monotonic();
    this.step = setInterval(() => this.connectDue(), STEP_MS);
  }

  private connectDue(): void {
    const now = monotonic();
    const { wakes, plan } = this;
    const earned = ((now - this.allowedAt) / 1e6) * plan.perSecond;
    this.allowance = Math.min(this.allowance + earned, Math.max(1, CATCH_UP * plan.perSecond));
    this.allowedAt = now;
    while (wakes.topKey <= now && this.allowance >= 1 && this.inFlight < MOST_IN_FLIGHT) {
      const player = wakes.topId;
      wakes.replaceTop(Number.POSITIVE_INFINITY);
      if (!plan.target.wants(player)) {
        this.pending[player] = 0;
        continue;
      }
      this.allowance -= 1;
      this.inFlight += 1;
      plan.protocol.dial(player, this);
    }
    // Unused allowance is not saved, except for one step.
    if (wakes.topKey > now) {
      this.allowance = Math.min(this.allowance, Math.max(1, (STEP_MS / 1e3) * plan.perSecond));
    }
    if (wakes.size === 0 && this.step !== null) {
      clearInterval(this.step);
      this.step = null;
    }
  }
}

const FIRST_WAIT = 50_000;
const LONGEST_WAIT = 1_000_000;

/**
 * Microseconds to wait before attempt number `attempt`, from 0: 50 ms, doubling up to 1 s, each with 25% jitter, so that
 * players who lost their connections together do not reconnect in step.
 */
export function backoff(seed: number, actor: number, attempt: number): number {
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempt);
  return wait * (0.75 + 0.5 * mulberry32(streamSeed(seed, STREAM.reconnect, actor, attempt)));
}
