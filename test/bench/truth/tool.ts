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

/** The figures that a tool reported. */
export interface Reading {
  readonly percentiles: Percentiles;
  /** Answered requests a second, as the tool reports. */
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
  /** @throws when the tool failed, or its output could not be read. */
  measure(run: BenchRun, offer: Offer): Promise<Reading>;
}
