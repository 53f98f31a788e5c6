import type { Monsters } from '../../systems/flux/monsters/monsters.ts';
import type { LoadSecond } from '../engine.ts';
import type { Crowd } from '../player/crowd.ts';

/** What a worker's connections have carried, and how often they ended and came back. */
export type TrafficCounts = Pick<
  LoadSecond,
  'bytesIn' | 'bytesOut' | 'framesIn' | 'commandBytes' | 'disconnects' | 'reconnects'
>;

/** Of players and monsters together, since the worker began and since the last second. */
export class Traffic {
  private readonly crowd: Crowd;
  private readonly monsters: Monsters;
  private before: TrafficCounts = {
    ...{ bytesIn: 0, bytesOut: 0, framesIn: 0, commandBytes: 0, disconnects: 0, reconnects: 0 },
  };

  constructor(crowd: Crowd, monsters: Monsters) {
    this.crowd = crowd;
    this.monsters = monsters;
  }

  total(): TrafficCounts {
    const { crowd, monsters } = this;
    const { bytesIn, bytesOut, framesIn } = crowd;
    return {
      bytesIn,
      bytesOut,
      framesIn,
      commandBytes: monsters.bytesIn + monsters.bytesOut,
      disconnects: crowd.disconnects + monsters.disconnects,
      reconnects: crowd.reconnects + monsters.reconnects,
    };
  }

  /** What has come since it was taken last. */
  take(): TrafficCounts {
    const { before } = this;
    const now = this.total();
    this.before = now;
    return {
      bytesIn: now.bytesIn - before.bytesIn,
      bytesOut: now.bytesOut - before.bytesOut,
      framesIn: now.framesIn - before.framesIn,
      commandBytes: now.commandBytes - before.commandBytes,
      disconnects: now.disconnects - before.disconnects,
      reconnects: now.reconnects - before.reconnects,
    };
  }
}
