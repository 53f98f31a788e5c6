import { ConnectionRefused } from '../../../address/connection-cause.ts';
import { monotonic } from '../../../clock.ts';
import { messageOf } from '../../../errors.ts';
import type { MicrosHistogram } from '../../../hdr-histogram.ts';
import { backoff } from '../../../load/backoff.ts';
import type { Complaints } from '../../../load/complaints.ts';

export interface LinkReconnect {
  readonly seed: number;
  /** From the end of a line to the welcome of the next one; microseconds. */
  readonly latency: MicrosHistogram;
}

/** Tries to have another line when one has ended: after a while that grows from attempt to attempt. */
export class Redial {
  private readonly reconnect: LinkReconnect;
  /** What tells the links of a worker apart, in their draws. */
  private readonly stream: number;
  private readonly complaints: Complaints;
  /** When the line ended, on the host's monotonic clock; and how often it was tried to have another since. */
  private lostAt = 0;
  private attempts = 0;
  private retry: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(reconnect: LinkReconnect, stream: number, complaints: Complaints) {
    this.reconnect = reconnect;
    this.stream = stream;
    this.complaints = complaints;
  }

  /** The line has ended: `connect` makes another one, and says whether anybody still wants it; then `onBack`. */
  begin(connect: () => Promise<boolean>, onBack: () => void): void {
    this.lostAt = monotonic();
    this.wait(connect, onBack);
  }

  /** The line holds: when it ends, that is a new end, and answered at once. */
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
      // The server has not noticed the end of the old line.
      const isConflict = thrown instanceof ConnectionRefused && thrown.kind === 'conflict';
      if (!isConflict) this.complaints.add(`monsters could not connect again: ${messageOf(thrown)}`);
      this.wait(connect, onBack);
      return;
    }
    this.reconnect.latency.record(monotonic() - this.lostAt, 1);
    onBack();
  }
}
