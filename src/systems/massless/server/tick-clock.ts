import { FixedHistogram, geometricBounds } from '../../../server/fixed-histogram.ts';
import { counter } from '../../../server/page.ts';

/** Ticks of all rooms of a server. */
export interface TickCounts {
  ticks: number;
  /** Those that began more than one and a half periods after the one before. */
  late: number;
  /** Those that took longer than a period. */
  overruns: number;
  /** Those that were left out after a delay. */
  skipped: number;
  readonly seconds: FixedHistogram;
}

/** Has 0.05 s, the period at 20 Hz, as a bound. */
const SECONDS = [...geometricBounds(0.0001, 1.5, 0.04), 0.05, ...geometricBounds(0.075, 1.5, 2)];
/** A clock that is further behind than this many periods leaves ticks out. */
const MOST_BEHIND = 4;
const LATE_PERIODS = 1.5;

export const noTicks = (): TickCounts => ({
  ...{ ticks: 0, late: 0, overruns: 0, skipped: 0 },
  seconds: new FixedHistogram(SECONDS),
});

/** Calls `tick` at a fixed rate that does not drift, as long as it is not stopped. */
export class TickClock {
  readonly #period: number;
  readonly #counts: TickCounts;
  readonly #tick: () => void;
  #due: number;
  #last = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param rate ticks a second */
  constructor(rate: number, counts: TickCounts, tick: () => void) {
    this.#period = 1e3 / rate;
    this.#counts = counts;
    this.#tick = tick;
    this.#due = performance.now() + this.#period;
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, this.#due - performance.now()));
  }

  #run(): void {
    const [period, counts, started] = [this.#period, this.#counts, performance.now()];
    if (started - this.#last > LATE_PERIODS * period) counts.late += 1;
    this.#last = started;
    counts.ticks += 1;
    this.#tick();
    const now = performance.now();
    counts.seconds.record((now - started) / 1e3);
    if (now - started > period) counts.overruns += 1;
    this.#due += period;
    const behind = Math.floor((now - this.#due) / period);
    if (behind > MOST_BEHIND) {
      counts.skipped += behind;
      this.#due += behind * period;
    }
    this.#wait();
  }
}

/** As Prometheus text. */
export const renderTicks = ({ ticks, late, overruns, skipped, seconds }: TickCounts): string =>
  [
    counter('capbench_massless_ticks_total', ticks),
    counter('capbench_massless_ticks_late_total', late),
    counter('capbench_massless_tick_overruns_total', overruns),
    counter('capbench_massless_ticks_skipped_total', skipped),
    seconds.render('capbench_massless_tick_seconds'),
  ].join('');
