import type { BenchRun } from '../bench-run.ts';
import type { Percentiles } from './percentiles.ts';

/** What every tool is asked to do. */
export interface Offer {
  /** Base URL of a known world. */
  readonly url: string;
  /** Requests a second, evenly. */
  readonly rate: number;
  readonly seconds: number;
}

/** What a tool said. */
export interface Reading {
  readonly percentiles: Percentiles;
  /** Answered requests a second, as the tool tells. */
  readonly perSecond: number;
}

/** A load generator. */
export interface Tool {
  readonly name: string;
  readonly wire: 'WebSocket' | 'HTTP';
  /** How to get it. */
  readonly obtain: string;
  /** Judged: the others are only shown. */
  readonly ours: boolean;
  /** Null when it is not installed. */
  version(): Promise<string | null>;
  /** @throws when it could not do it, or nobody could read what it said. */
  measure(run: BenchRun, offer: Offer): Promise<Reading>;
}
