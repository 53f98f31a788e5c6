import { MicrosHistogram } from '../hdr-histogram.ts';
import { EMPTY_HISTOGRAM } from '../histogram.ts';
import type { TimedStage } from '../scenario/stage-timeline.ts';
import type { StageConnectionTally } from './engine.ts';

/** What a worker has counted of its connections since GO; those of sources are among the first two. */
export interface ConnectionCounts {
  readonly disconnects: number;
  readonly reconnects: number;
  readonly left: number;
  readonly joined: number;
}

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
  connect: MicrosHistogram | null = null;
  reconnect: MicrosHistogram | null = null;
  counts: ConnectionCounts = { disconnects: 0, reconnects: 0, left: 0, joined: 0 };
}

/**
 * The connections of one worker by stage. Counts are those from the stage's beginning to its end, whatever was due
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
  private before: ConnectionCounts = { disconnects: 0, reconnects: 0, left: 0, joined: 0 };

  constructor(stages: readonly TimedStage[]) {
    const last = stages.at(-1);
    this.boundaries = last === undefined ? [] : [...stages.map(({ start }) => start), last.end];
    this.records = stages.map(() => new StageConnectionRecord());
    this.nextBoundary = this.boundaries[0] ?? Number.POSITIVE_INFINITY;
  }

  /** Time has come to `now`, with so many of everything. */
  advance(now: number, counts: ConnectionCounts): void {
    while (now >= this.nextBoundary) {
      this.close(counts);
      this.before = counts;
      this.crossed += 1;
      this.nextBoundary = this.boundaries[this.crossed] ?? Number.POSITIVE_INFINITY;
    }
  }

  /** What the stage that goes on has had until now; the run may end within it. */
  close(counts: ConnectionCounts): void {
    const record = this.records[this.crossed - 1];
    if (record === undefined) return;
    const { before } = this;
    record.counts = {
      disconnects: counts.disconnects - before.disconnects,
      reconnects: counts.reconnects - before.reconnects,
      left: counts.left - before.left,
      joined: counts.joined - before.joined,
    };
  }

  /** A player has come back: so long after it lost its connection, or wanted another one; `took` to be welcomed. */
  back(sinceLost: number, took: number): void {
    const record = this.records[this.crossed - 1];
    if (record === undefined) return;
    record.reconnect ??= new MicrosHistogram();
    record.connect ??= new MicrosHistogram();
    record.reconnect.record(sinceLost, 1);
    record.connect.record(took, 1);
  }

  /** `players` of `before` were cut off just now, for a stage; their ends have not been heard yet. */
  cut(stage: number, now: number, players: number, before: number, disconnects: number): void {
    const heardAt = disconnects + players;
    this.cuts.push({ stage, at: now, players, before, heardAt, fullAt: players === 0 ? now : null });
  }

  /** So many are connected now. */
  strength(now: number, connected: number, disconnects: number): void {
    for (const cut of this.cuts) {
      if (cut.fullAt === null && disconnects >= cut.heardAt && connected >= cut.before) cut.fullAt = now;
    }
  }

  tally(): readonly StageConnectionTally[] {
    return this.records.map(({ connect, reconnect, counts }, stage) => {
      const cut = this.cuts.find((one) => one.stage === stage);
      return {
        ...counts,
        connect: connect?.toData() ?? EMPTY_HISTOGRAM,
        reconnect: reconnect?.toData() ?? EMPTY_HISTOGRAM,
        cut: cut?.players ?? 0,
        fullStrength: cut === undefined || cut.fullAt === null ? null : cut.fullAt - cut.at,
      };
    });
  }
}
