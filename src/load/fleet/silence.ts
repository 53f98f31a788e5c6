const TICK_MS = 1_000;
/** A worker says each second that it is alive. */
const MOST_TICKS = 10;

/**
 * Notices workers that say nothing. It counts its own turns and no time: where this process stood still itself, what
 * was said meanwhile is heard first.
 */
export class Silence {
  private readonly ticks: number[];
  private readonly timer: NodeJS.Timeout;

  constructor(workers: number, silent: (worker: number, seconds: number) => void) {
    this.ticks = new Array<number>(workers).fill(0);
    this.timer = setInterval(() => {
      for (let worker = 0; worker < this.ticks.length; worker++) {
        this.ticks[worker]! += 1;
        if (this.ticks[worker] === MOST_TICKS) silent(worker, (MOST_TICKS * TICK_MS) / 1e3);
      }
    }, TICK_MS);
  }

  heard(worker: number): void {
    this.ticks[worker] = 0;
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
