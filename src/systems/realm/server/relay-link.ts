import { messageOf } from '../../../errors.ts';
import { openBackoff } from '../../../server/backoff.ts';
import { pause } from '../../../supervision/time-limit.ts';
import { RelayConnection } from '../relay-connection.ts';

interface LinkPlan {
  readonly url: string;
  readonly token: string;
  log(sentence: string): void;
}

/** Milliseconds without an answer after which the relay is asked over another connection. */
const ANSWER_MS = 10_000;
const BACKOFF = { first: 100, most: 2_000 };

/** A relay over one connection at a time, which is opened when it is needed. */
export class RelayLink {
  readonly #plan: LinkPlan;
  #connection: RelayConnection | null = null;
  /** Attempts to connect that failed. */
  failures = 0;

  constructor(plan: LinkPlan) {
    this.#plan = plan;
  }

  /** An open connection, as soon as there is one; rejects with the signal's reason when aborted. */
  async connection(signal: AbortSignal): Promise<RelayConnection> {
    const { url, token, log } = this.#plan;
    const backoff = openBackoff(BACKOFF);
    let isAway = false;
    while (this.#connection?.isOpen !== true) {
      signal.throwIfAborted();
      try {
        this.#connection = await RelayConnection.open({ url, token, limit: ANSWER_MS });
        if (isAway) log('relay connection is open again');
      } catch (error) {
        if (!isAway) log(`relay connection failed: ${messageOf(error)}`);
        isAway = true;
        this.failures += 1;
        await pause(backoff.next(), signal);
      }
    }
    return this.#connection;
  }

  close(): void {
    this.#connection?.terminate();
  }
}
