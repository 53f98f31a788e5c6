import type { TimedStage } from '../../scenario/stage-timeline.ts';
import type { StageConnectionTally } from '../engine.ts';
import type { PlayerPool } from '../player/player-pool.ts';
import type { Source } from '../source.ts';
import { type ConnectionCounts, StageConnections } from '../stage-connections.ts';

/** Keeps account of a worker's connections stage by stage: who was cut, left, and came back. */
export class StageWatch {
  private readonly connections: StageConnections;
  private readonly pool: PlayerPool;
  private readonly sources: readonly Source[];

  constructor(stages: readonly TimedStage[], pool: PlayerPool, sources: readonly Source[]) {
    this.connections = new StageConnections(stages);
    this.pool = pool;
    this.sources = sources;
  }

  /** When the next stage begins or the last one ends. */
  get nextBoundary(): number {
    return this.connections.nextBoundary;
  }

  /** What has come until now belongs to the stages before. */
  cross(now: number): void {
    if (now >= this.connections.nextBoundary) this.connections.advance(now, this.counts());
  }

  /** Cuts off a share of the players; for a stage that begins with it, null for a fault. */
  drop(now: number, stage: number | null, sharePercent: number, seed: number): number {
    const { connected, disconnects } = this.pool;
    this.cross(now);
    const players = this.pool.drop(sharePercent, seed);
    if (stage !== null) this.connections.cut(stage, now, players, connected, disconnects);
    return players;
  }

  /** A player has come back. */
  back(now: number, sinceLost: number, took: number): void {
    this.cross(now);
    this.connections.back(sinceLost, took);
    this.connections.strength(now, this.pool.connected, this.pool.disconnects);
  }

  /** Nothing counts any more. */
  close(): void {
    this.connections.close(this.counts());
  }

  tally(): readonly StageConnectionTally[] {
    return this.connections.tally();
  }

  private counts(): ConnectionCounts {
    const { leaves: left, joins: joined } = this.pool;
    let { disconnects, reconnects } = this.pool;
    for (const source of this.sources) {
      const counts = source.counts();
      disconnects += counts.disconnects;
      reconnects += counts.reconnects;
    }
    return { disconnects, reconnects, left, joined };
  }
}
