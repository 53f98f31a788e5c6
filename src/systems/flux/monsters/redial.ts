import { ConnectionRefused } from '../../../address/connection-cause.ts';
import { monotonic } from '../../../clock.ts';
import { messageOf } from '../../../errors.ts';
import type { MicrosHistogram } from '../../../hdr-histogram.ts';
import type { ErrorCounts } from '../../../load/error-counts.ts';
import { backoff } from '../../../load/player/reconnector.ts';

export interface ClientReconnect {
  readonly seed: number;
  /** From the end of a connection to the welcome of the next one; microseconds. */
  readonly latency: MicrosHistogram;
}

/** Tries to have another connection when one has ended: after a while that grows from attempt to attempt. */
export class Redial {
  private readonly reconnect: ClientReconnect;
  /** What tells the clients of a worker apart, in their draws. */
  private readonly stream: number;
  private readonly errors: ErrorCounts;
  /** When the connection ended, on the host's monotonic clock; and how often it was tried to have another since. */
  private lostAt = 0;
  private attempts = 0;
  private retry: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(reconnect: ClientReconnect, stream: number, errors: ErrorCounts) {
    this.reconnect = reconnect;
    this.stream = stream;
    this.errors = errors;
  }

  /** The connection has ended: `connect` makes another one, and says whether anybody still wants it; then `onBack`. */
  begin(connect: () => Promise<boolean>, onBack: () => void): void {
    this.lostAt = monotonic();
    this.wait(connect, onBack);
  }

  /** The connection holds: when it ends, that is a new end, and answered at once. */
  held(): void {
    this.attempts = 0;
  }

  stop(): void {
    this.stopped = true;
    if (this.retry !== null) clearTimeout(this.retry);
  }

  private wait(connect: () => Promise<boolean>, onBack: () => void): void {
    if (this.stopped) return;
    const wait = backoff(this.reconnect.seed, this.stream, this.attempts++);
    this.retry = setTimeout(() => void this.attempt(connect, onBack), wait / 1e3);
  }

  private async attempt(connect: () => Promise<boolean>, onBack: () => void): Promise<void> {
    try {
      if (!(await connect())) return;
    } catch (thrown) {
      // The server has not noticed the end of the old connection.
      const isConflict = thrown instanceof ConnectionRefused && thrown.kind === 'conflict';
      if (!isConflict) this.errors.add(`monsters could not connect again: ${messageOf(thrown)}`);
      this.wait(connect, onBack);
      return;
    }
    this.reconnect.latency.record(monotonic() - this.lostAt, 1);
    onBack();
  }
}
