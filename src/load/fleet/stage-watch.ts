import type { TimedStage } from '../../scenario/stage-timeline.ts';
import type { Monsters } from '../../systems/flux/monsters/monsters.ts';
import type { StageConnectionTally } from '../engine.ts';
import type { Crowd } from '../player/crowd.ts';
import { type ConnectionCounts, StageConnections } from '../stage-connections.ts';

/** Keeps account of a worker's connections stage by stage: who was cut, left, and came back. */
export class StageWatch {
  private readonly connections: StageConnections;
  private readonly crowd: Crowd;
  private readonly monsters: Monsters;

  constructor(stages: readonly TimedStage[], crowd: Crowd, monsters: Monsters) {
    this.connections = new StageConnections(stages);
    this.crowd = crowd;
    this.monsters = monsters;
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
    const { connected, disconnects } = this.crowd;
    this.cross(now);
    const players = this.crowd.drop(sharePercent, seed);
    if (stage !== null) this.connections.cut(stage, now, players, connected, disconnects);
    return players;
  }

  /** A player has come back. */
  back(now: number, sinceLost: number, took: number): void {
    this.cross(now);
    this.connections.back(sinceLost, took);
    this.connections.strength(now, this.crowd.connected, this.crowd.disconnects);
  }

  /** Nothing counts any more. */
  close(): void {
    this.connections.close(this.counts());
  }

  tally(): readonly StageConnectionTally[] {
    return this.connections.tally();
  }

  private counts(): ConnectionCounts {
    const { crowd, monsters } = this;
    return {
      disconnects: crowd.disconnects + monsters.disconnects,
      reconnects: crowd.reconnects + monsters.reconnects,
      left: crowd.leaves,
      joined: crowd.joins,
    };
  }
}
