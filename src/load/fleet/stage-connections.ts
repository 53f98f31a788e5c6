import { MicrosHistogram } from '../../hdr-histogram.ts';
import type { TimedStage } from '../../scenario/stages.ts';
import type { StageConnectionTally, TrafficCounts } from '../engine.ts';
import type { PlayerPool } from '../player/player-pool.ts';
import { growthOf, sumOf } from './tally.ts';

/** Counts since GO; the first two include connections of sources. */
const COUNTS = ['disconnects', 'reconnects', 'left', 'joined'] as const;
type ConnectionCounts = Pick<StageConnectionTally, (typeof COUNTS)[number]>;
const NO_COUNTS: ConnectionCounts = sumOf(COUNTS, []);

/** Connections that were cut at once, and when as many were connected again. */
interface Cut {
  readonly stage: number;
  readonly at: number;
  readonly players: number;
  /** Number of connected players before. */
  readonly before: number;
  /** The total of disconnects when all of them have closed. */
  readonly closedAt: number;
  fullAt: number | null;
}

class StageConnectionRecord {
  readonly connect = new MicrosHistogram();
  readonly reconnect = new MicrosHistogram();
  counts = NO_COUNTS;
}

/** Connections of one worker by stage: how many were cut, left and reconnected from its start to its end. Times are microseconds after GO. */
export class StageConnections {
  /** When the next stage starts, or the last one ends; Infinity after that. */
  nextBoundary: number;
  private readonly boundaries: readonly number[];
  private readonly records: readonly StageConnectionRecord[];
  private readonly cuts: Cut[] = [];
  private crossed = 0;
  /** The counts at the start of the stage. */
  private before = NO_COUNTS;
  private readonly pool: PlayerPool;
  private readonly traffic: () => TrafficCounts;

  /** `traffic`: of players and sources since the worker started. */
  constructor(stages: readonly TimedStage[], pool: PlayerPool, traffic: () => TrafficCounts) {
    this.pool = pool;
    this.traffic = traffic;
    const last = stages.at(-1);
    this.boundaries = last === undefined ? [] : [...stages.map(({ start }) => start), last.end];
    this.records = stages.map(() => new StageConnectionRecord());
    this.nextBoundary = this.boundaries[0] ?? Number.POSITIVE_INFINITY;
  }

  /** Closes the stages that ended before `now`. */
  cross(now: number): void {
    while (now >= this.nextBoundary) {
      this.close();
      this.before = this.counts();
      this.crossed += 1;
      this.nextBoundary = this.boundaries[this.crossed] ?? Number.POSITIVE_INFINITY;
    }
  }

  /** Sets the counts of the current stage, in which the run may end. */
  close(): void {
    const record = this.records[this.crossed - 1];
    if (record !== undefined) record.counts = growthOf(COUNTS, this.before, this.counts());
  }

  /** A player has reconnected, `sinceLost` after the loss or the end of its time away; the attempt `took` so long. */
  back(now: number, sinceLost: number, took: number): void {
    this.cross(now);
    const record = this.records[this.crossed - 1];
    record?.reconnect.record(sinceLost, 1);
    record?.connect.record(took, 1);
    const { connected, disconnects } = this.pool;
    for (const cut of this.cuts) {
      if (cut.fullAt === null && disconnects >= cut.closedAt && connected >= cut.before) cut.fullAt = now;
    }
  }

  /** Cuts off a share of the players, for a stage's reconnect storm or (null) a fault. The closes are reported later. */
  drop(now: number, stage: number | null, sharePercent: number, seed: number): number {
    const { connected: before, disconnects } = this.pool;
    this.cross(now);
    const players = this.pool.drop(sharePercent, seed);
    const fullAt = players === 0 ? now : null;
    if (stage !== null)
      this.cuts.push({ stage, at: now, players, before, closedAt: disconnects + players, fullAt });
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
