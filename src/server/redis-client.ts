import { performance } from 'node:perf_hooks';
import type { Redis } from 'ioredis';
import { CapbenchError, messageOf } from '../errors.ts';
import { type BackoffPlan, openBackoff } from './backoff.ts';
import { type BreakerState, CircuitBreaker } from './circuit-breaker.ts';
import { FixedHistogram, geometricBounds } from './fixed-histogram.ts';
import { counter, gauge } from './page.ts';
import { lossOf, type RedisCommand, type Run, type RunOptions, sendRuns, settleRuns } from './redis-batch.ts';
import { connectRedis, type RedisAccess } from './redis-connection.ts';

/** Redis did not answer. */
export class RedisUnavailable extends Error {
  override readonly name: string = 'RedisUnavailable';
  /** Whether the commands were sent: Redis may have executed them, or may still do so. */
  readonly mayHaveRun: boolean;

  constructor(why: string, mayHaveRun: boolean) {
    super(why);
    this.mayHaveRun = mayHaveRun;
  }
}

/** The circuit breaker is open, so that nothing was sent. */
export class BreakerOpen extends RedisUnavailable {
  override readonly name = 'BreakerOpen';

  constructor() {
    super('the circuit breaker of Redis is open', false);
  }
}

/**
 * Sends commands in one write, together with all others of the same turn of the event loop. Resolves to their replies in
 * order; rejects with Redis' error if one of them failed, and with RedisUnavailable when there was no answer in time.
 */
export type RunCommands = (commands: readonly RedisCommand[], options?: RunOptions) => Promise<unknown[]>;

export interface RedisPlan extends RedisAccess {
  /** False: no circuit breaker. Every command is tried, and fails only when its time is over. */
  readonly breaker?: boolean;
  /** Writes in a row that were not answered in time before the breaker opens. */
  readonly failures?: number;
  /** Between two probes, or between two attempts to connect. */
  readonly backoff?: BackoffPlan;
  /** Redis is not used from now on. */
  opened?(why: string): void;
  /** Redis answers again, and nobody else uses it yet: what has to be written before. If it rejects, the breaker stays open. */
  beforeClosed?(run: RunCommands): Promise<void>;
  /** Redis is used again. */
  closed?(openMillis: number): void;
}

const FAILURES = 3;
const BACKOFF: BackoffPlan = { first: 100, most: 2_000 };
/** After this long without any answer a connection is given up, as its other end may be gone. */
const SILENT_MS = 30_000;
const LOST = 'the connection to Redis was lost';
/** How ioredis rejects a command that it did not send. */
const UNSENT = /isn't writeable/;
const STATES: readonly BreakerState[] = ['closed', 'half-open', 'open'];
const SECONDS = geometricBounds(0.0001, 1.5, 5);

/**
 * Redis over one connection with a circuit breaker (circuit-breaker.ts). A lost connection opens it at once. A Redis that
 * is connected and does not answer keeps its connection: then the probe is answered after all commands that were sent
 * before it, and none of them can run later.
 */
export class RedisClient {
  readonly #plan: RedisPlan;
  readonly #timeout: number;
  readonly #breaker: CircuitBreaker | null;
  #redis: Redis | null = null;
  /** Without a breaker, what waits for the next connection. */
  #waiting: ((redis: Redis) => void)[] = [];
  #answeredAt = performance.now();
  #runs: Run[] = [];
  #closed = false;
  readonly #counts = { commands: 0, roundTrips: 0, failures: 0, opened: 0, closedAgain: 0, refused: 0 };
  #openMillis = 0;
  readonly #seconds = new FixedHistogram(SECONDS);
  readonly run: RunCommands;

  private constructor(plan: RedisPlan) {
    this.#plan = plan;
    this.#timeout = plan.timeout;
    const backoff = openBackoff(plan.backoff ?? BACKOFF);
    this.#breaker =
      plan.breaker === false
        ? null
        : new CircuitBreaker({
            failures: plan.failures ?? FAILURES,
            backoff,
            probe: () => this.#probe(),
            opened: (why) => {
              this.#counts.opened += 1;
              plan.opened?.(why);
            },
            closed: (openMillis) => {
              this.#counts.closedAgain += 1;
              this.#openMillis += openMillis;
              plan.closed?.(openMillis);
            },
          });
    this.run = async (commands, options) => {
      if (this.isAvailable) return this.#send(commands, options);
      this.#counts.refused += 1;
      throw new BreakerOpen();
    };
  }

  /**
   * Connects. If Redis does not answer, the client begins with an open breaker.
   * @throws CapbenchError (93) when Redis refuses the password or the database
   */
  static async open(plan: RedisPlan): Promise<RedisClient> {
    const client = new RedisClient(plan);
    try {
      await client.#connect();
    } catch (error) {
      if (error instanceof CapbenchError) throw error;
      client.#lost(messageOf(error));
    }
    return client;
  }

  get state(): BreakerState {
    return this.#breaker?.state ?? 'closed';
  }

  /** Commands are sent. */
  get isAvailable(): boolean {
    return this.state === 'closed' && !this.#closed;
  }

  get counts(): Readonly<
    Record<'commands' | 'roundTrips' | 'failures' | 'opened' | 'closedAgain' | 'refused', number>
  > {
    return this.#counts;
  }

  /** As Prometheus text. The state is 0 (closed), 1 (half-open) or 2 (open). */
  render(): string {
    const { commands, roundTrips, failures, opened, closedAgain, refused } = this.#counts;
    return [
      counter('capbench_world_redis_commands_total', commands),
      counter('capbench_world_redis_round_trips_total', roundTrips),
      counter('capbench_world_redis_failures_total', failures),
      counter('capbench_world_breaker_opened_total', opened),
      counter('capbench_world_breaker_closed_total', closedAgain),
      counter('capbench_world_breaker_refused_total', refused),
      counter(
        'capbench_world_breaker_open_seconds_total',
        (this.#openMillis + (this.#breaker?.openMillis ?? 0)) / 1e3,
      ),
      gauge('capbench_world_breaker_state', STATES.indexOf(this.state)),
      this.#seconds.render('capbench_world_redis_seconds'),
    ].join('');
  }

  /** Waits for the commands that were sent, and closes the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#breaker?.end();
    // After what this turn of the event loop has asked for.
    await new Promise((resolve) => setImmediate(resolve));
    const redis = this.#redis;
    if (redis === null) return;
    await within(redis.quit(), this.#timeout).catch(() => undefined);
    redis.disconnect();
  }

  #send(commands: readonly RedisCommand[], options: RunOptions = {}): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      this.#runs.push({ commands, ...options, resolve, reject });
      if (this.#runs.length === 1) setImmediate(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    const runs = this.#runs;
    this.#runs = [];
    const started = performance.now();
    let isSent = false;
    let isLate = false;
    const exchange = async (): Promise<void> => {
      const redis = this.#redis ?? (await this.#whenConnected());
      if (isLate) return;
      isSent = true;
      this.#counts.roundTrips += 1;
      for (const { commands } of runs) this.#counts.commands += commands.length;
      const replies = await sendRuns(redis, runs);
      if (isLate) return;
      const loss = lossOf(replies);
      if (loss === null) {
        this.#answeredAt = performance.now();
        this.#seconds.record((this.#answeredAt - started) / 1e3);
        this.#breaker?.succeeded();
      } else this.#failed(LOST);
      settleRuns(runs, replies, (error) => new RedisUnavailable(LOST, !UNSENT.test(error.message)));
    };
    try {
      await within(exchange(), this.#timeout);
    } catch (error) {
      isLate = true;
      const why = messageOf(error);
      this.#failed(why);
      for (const { reject } of runs) reject(new RedisUnavailable(why, isSent));
    }
  }

  #failed(why: string): void {
    this.#counts.failures += 1;
    this.#breaker?.failed(why);
  }

  #whenConnected(): Promise<Redis> {
    if (this.#breaker === null) return new Promise((resolve) => this.#waiting.push(resolve));
    return Promise.reject(new Error(LOST));
  }

  async #connect(): Promise<Redis> {
    const redis = await connectRedis(this.#plan);
    if (this.#closed) {
      redis.disconnect();
      throw new Error('the client is closed');
    }
    this.#redis = redis;
    this.#answeredAt = performance.now();
    redis.on('end', () => {
      if (this.#redis !== redis) return;
      this.#redis = null;
      this.#lost(LOST);
    });
    for (const one of this.#waiting.splice(0)) one(redis);
    return redis;
  }

  #lost(why: string): void {
    if (this.#closed) return;
    if (this.#breaker === null) void this.#reconnect();
    else this.#breaker.trip(why);
  }

  /** Without a breaker. */
  async #reconnect(): Promise<void> {
    const backoff = openBackoff(this.#plan.backoff ?? BACKOFF);
    while (!this.#closed && this.#redis === null) {
      await new Promise((resolve) => setTimeout(resolve, backoff.next()));
      await this.#connect().catch(() => undefined);
    }
    await this.#plan.beforeClosed?.(this.run).catch(() => undefined);
  }

  async #probe(): Promise<void> {
    if (performance.now() - this.#answeredAt > SILENT_MS) {
      const silent = this.#redis;
      this.#redis = null;
      silent?.disconnect();
    }
    const redis = this.#redis ?? (await this.#connect());
    await within(redis.ping(), this.#timeout);
    this.#answeredAt = performance.now();
    await this.#plan.beforeClosed?.((commands, options) => this.#send(commands, options));
  }
}

/**
 * Rejects after `millis`. A process that was itself delayed first reads the answers that have arrived meanwhile: timers
 * come before input and output in the event loop, and immediates after them.
 */
function within<T>(promise: Promise<T>, millis: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => setImmediate(() => reject(new Error(`Redis did not answer within ${millis} ms`))),
      millis,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
