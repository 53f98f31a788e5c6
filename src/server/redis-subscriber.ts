import type { Redis } from 'ioredis';
import { CapbenchError, messageOf } from '../errors.ts';
import { type BackoffPlan, openBackoff } from './backoff.ts';
import { connectRedis, type RedisAccess } from './redis-connection.ts';

export interface SubscriberPlan extends RedisAccess {
  readonly backoff?: BackoffPlan;
  message(channel: string, text: string): void;
  /** Messages are missed from now on. */
  lost?(why: string): void;
  /** All channels are subscribed again. */
  restored?(): void;
}

const BACKOFF: BackoffPlan = { first: 100, most: 2_000 };

/** Channels of Redis over a connection of their own, which is reopened when it is lost, with all its subscriptions. */
export class RedisSubscriber {
  readonly #plan: SubscriberPlan;
  #redis: Redis | null = null;
  /** Channel -> how often it was subscribed. */
  readonly #wanted = new Map<string, number>();
  /** The channels that this connection has asked for. */
  #asked = new Set<string>();
  #waiting: ((confirmed: boolean) => void)[] = [];
  #closed = false;
  /** Received messages. */
  messages = 0;
  /** Connections that were reopened. */
  reconnects = 0;

  private constructor(plan: SubscriberPlan) {
    this.#plan = plan;
  }

  /**
   * Connects; if Redis does not answer, it goes on trying.
   * @throws CapbenchError (93) when Redis refuses the password or the database
   */
  static async open(plan: SubscriberPlan): Promise<RedisSubscriber> {
    const subscriber = new RedisSubscriber(plan);
    try {
      await subscriber.#connect();
    } catch (error) {
      if (error instanceof CapbenchError) throw error;
      subscriber.#lost(messageOf(error));
    }
    return subscriber;
  }

  get isConnected(): boolean {
    return this.#redis !== null;
  }

  /** The number of different channels. */
  get channels(): number {
    return this.#wanted.size;
  }

  /**
   * Resolves to true once Redis has confirmed it; to false when there is no connection or no answer in time, and then it
   * is subscribed as soon as there is one.
   */
  async subscribe(channel: string): Promise<boolean> {
    this.#wanted.set(channel, (this.#wanted.get(channel) ?? 0) + 1);
    if (this.#redis === null) return false;
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), this.#plan.timeout);
      this.#apply((confirmed) => {
        clearTimeout(late);
        resolve(confirmed);
      });
    });
  }

  /** Takes one subscription back; the last one ends the messages of the channel. */
  unsubscribe(channel: string): void {
    const count = this.#wanted.get(channel);
    if (count === undefined) return;
    if (count > 1) this.#wanted.set(channel, count - 1);
    else this.#wanted.delete(channel);
    if (count === 1) this.#apply(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#redis?.disconnect();
    this.#redis = null;
  }

  /** The changes of one turn of the event loop are sent together. */
  #apply(done: (confirmed: boolean) => void): void {
    this.#waiting.push(done);
    if (this.#waiting.length > 1) return;
    setImmediate(async () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      const confirmed = await this.#synchronise(this.#redis).then(
        () => true,
        () => false,
      );
      for (const one of waiting) one(confirmed);
    });
  }

  /** Subscribes and unsubscribes what the connection has not asked for yet. Rejects when it is lost meanwhile. */
  async #synchronise(redis: Redis | null): Promise<void> {
    if (redis === null) throw new Error('not connected');
    const more = [...this.#wanted.keys()].filter((channel) => !this.#asked.has(channel));
    const less = [...this.#asked].filter((channel) => !this.#wanted.has(channel));
    for (const channel of more) this.#asked.add(channel);
    for (const channel of less) this.#asked.delete(channel);
    // Also with nothing to ask: an earlier request for the same channel may be under way, and is answered before.
    await Promise.all([
      ...(more.length > 0 ? [redis.subscribe(...more)] : []),
      ...(less.length > 0 ? [redis.unsubscribe(...less)] : []),
      ...(more.length + less.length === 0 && this.#asked.size > 0 ? [redis.ping()] : []),
    ]);
  }

  async #connect(): Promise<void> {
    const redis = await connectRedis(this.#plan);
    if (this.#closed) {
      redis.disconnect();
      return;
    }
    redis.on('message', (channel: string, text: string) => {
      this.messages += 1;
      this.#plan.message(channel, text);
    });
    redis.on('end', () => {
      if (this.#redis !== redis) return;
      this.#redis = null;
      this.#lost('the connection to Redis was lost');
    });
    this.#asked = new Set();
    await this.#synchronise(redis);
    this.#redis = redis;
    // What was subscribed meanwhile.
    this.#apply(() => undefined);
  }

  #lost(why: string): void {
    if (this.#closed) return;
    this.#plan.lost?.(why);
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const backoff = openBackoff(this.#plan.backoff ?? BACKOFF);
    while (!this.#closed && this.#redis === null) {
      await new Promise((resolve) => setTimeout(resolve, backoff.next()));
      try {
        await this.#connect();
      } catch {
        // It is tried again.
      }
    }
    if (this.#closed) return;
    this.reconnects += 1;
    this.#plan.restored?.();
  }
}
