import { MicrosHistogram } from '../../hdr-histogram.ts';
import type { TimedStage } from '../../scenario/stages.ts';
import type { StageConnectionTally, TrafficCounts } from '../engine.ts';
import type { PlayerPool } from '../player/player-pool.ts';
import { growthOf, sumOf } from './tally.ts';

/** What a worker has counted of its connections since GO; those of sources are among the first two. */
const COUNTS = ['disconnects', 'reconnects', 'left', 'joined'] as const;
type ConnectionCounts = Pick<StageConnectionTally, (typeof COUNTS)[number]>;
const NO_COUNTS: ConnectionCounts = sumOf(COUNTS, []);

/** Connections that were cut at once, and how long it took until as many were there again. */
interface Cut {
  readonly stage: number;
  readonly at: number;
  readonly players: number;
  /** As many were connected. */
  readonly before: number;
  /** The ends of all of them have been heard at so many disconnects. */
  readonly heardAt: number;
  fullAt: number | null;
}

class StageConnectionRecord {
  readonly connect = new MicrosHistogram();
  readonly reconnect = new MicrosHistogram();
  counts = NO_COUNTS;
}

/**
 * The connections of one worker by stage: who was cut, left, and came back. Counts are those from the stage's beginning to its end, whatever was due
 * then; times are microseconds after GO.
 */
export class StageConnections {
  /** When the next stage begins, or the last one ends; Infinity after that. */
  nextBoundary: number;
  private readonly boundaries: readonly number[];
  private readonly records: readonly StageConnectionRecord[];
  private readonly cuts: Cut[] = [];
  private crossed = 0;
  /** As they were when the stage began. */
  private before = NO_COUNTS;
  private readonly pool: PlayerPool;
  private readonly traffic: () => TrafficCounts;

  /** `traffic`: of players and sources since the worker began. */
  constructor(stages: readonly TimedStage[], pool: PlayerPool, traffic: () => TrafficCounts) {
    this.pool = pool;
    this.traffic = traffic;
    const last = stages.at(-1);
    this.boundaries = last === undefined ? [] : [...stages.map(({ start }) => start), last.end];
    this.records = stages.map(() => new StageConnectionRecord());
    this.nextBoundary = this.boundaries[0] ?? Number.POSITIVE_INFINITY;
  }

  /** What has come until now belongs to the stages before. */
  cross(now: number): void {
    while (now >= this.nextBoundary) {
      this.close();
      this.before = this.counts();
      this.crossed += 1;
      this.nextBoundary = this.boundaries[this.crossed] ?? Number.POSITIVE_INFINITY;
    }
  }

  /** What the stage that goes on has had until now; the run may end within it. */
  close(): void {
    const record = this.records[this.crossed - 1];
    if (record !== undefined) record.counts = growthOf(COUNTS, this.before, this.counts());
  }

  /** A player has come back: so long after it lost its connection, or wanted another one; `took` to be welcomed. */
  back(now: number, sinceLost: number, took: number): void {
    this.cross(now);
    const record = this.records[this.crossed - 1];
    record?.reconnect.record(sinceLost, 1);
    record?.connect.record(took, 1);
    const { connected, disconnects } = this.pool;
    for (const cut of this.cuts) {
      if (cut.fullAt === null && disconnects >= cut.heardAt && connected >= cut.before) cut.fullAt = now;
    }
  }

  /** Cuts off a share of the players; for a stage that begins with it, null for a fault. Their ends have not been heard yet. */
  drop(now: number, stage: number | null, sharePercent: number, seed: number): number {
    const { connected: before, disconnects } = this.pool;
    this.cross(now);
    const players = this.pool.drop(sharePercent, seed);
    const fullAt = players === 0 ? now : null;
    if (stage !== null)
      this.cuts.push({ stage, at: now, players, before, heardAt: disconnects + players, fullAt });
    return players;
  }

  private counts(): ConnectionCounts {
    const { leaves: left, joins: joined } = this.pool;
    const { disconnects, reconnects } = this.traffic();
    return { disconnects, reconnects, left, joined };
  }

  tally(): readonly StageConnectionTally[] {
    return this.records.map(({ connect, reconnect, counts }, stage) => {
      const cut = this.cuts.find((one) => one.stage === stage);
      return {
        ...counts,
        connect: connect.toData(),
        reconnect: reconnect.toData(),
        cut: cut?.players ?? 0,
        fullStrength: cut === undefined || cut.fullAt === null ? null : cut.fullAt - cut.at,
      };
    });
  }
}
