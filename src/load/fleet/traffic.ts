import type { PlayerPool } from '../player/player-pool.ts';
import type { Source } from '../source.ts';
import { TRAFFIC, type TrafficCounts } from './messages.ts';

/** Of players and sources together, since the worker began and since the last second. */
export class Traffic {
  private readonly pool: PlayerPool;
  private readonly sources: readonly Source[];
  private before: TrafficCounts = {
    ...{ bytesIn: 0, bytesOut: 0, framesIn: 0, commandBytes: 0, disconnects: 0, reconnects: 0 },
  };

  constructor(pool: PlayerPool, sources: readonly Source[]) {
    this.pool = pool;
    this.sources = sources;
  }

  total(): TrafficCounts {
    const { bytesIn, bytesOut, framesIn } = this.pool;
    let { disconnects, reconnects } = this.pool;
    let commandBytes = 0;
    for (const source of this.sources) {
      const counts = source.counts();
      commandBytes += counts.bytesIn + counts.bytesOut;
      disconnects += counts.disconnects;
      reconnects += counts.reconnects;
    }
    return { bytesIn, bytesOut, framesIn, commandBytes, disconnects, reconnects };
  }

  /** What has come since it was taken last. */
  take(): TrafficCounts {
    const { before } = this;
    const now = this.total();
    this.before = now;
    const entries = TRAFFIC.map((count) => [count, now[count] - before[count]]);
    return Object.fromEntries(entries) as Record<(typeof TRAFFIC)[number], number>;
  }
}
