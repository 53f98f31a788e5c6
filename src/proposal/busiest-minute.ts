/** The length of the window, in seconds. */
const WINDOW = 60;
/** Requests are written when they end: a second is complete this many seconds later. */
const OPEN = 120;

/** The requests of one second. */
interface Second {
  /** Since 1970. */
  readonly second: number;
  total: number;
  readonly shapes: Map<string, number>;
  readonly clients: Set<string>;
}

/** The requests of 60 s that follow one another. */
interface Minute {
  /** Its first second with a request, since 1970. */
  readonly from: number;
  readonly total: number;
  /** How many requests of each shape. */
  readonly shapes: ReadonlyMap<string, number>;
  readonly clients: ReadonlySet<string>;
}

/**
 * The 60 s with the most requests, wherever they begin, of requests that come about in the order of their times. It keeps
 * the seconds that are still open, a window, and the busiest window, whatever the number of requests.
 */
export class BusiestMinute {
  private readonly open = new Map<number, Second>();
  private window: readonly Second[] = [];
  private best: { readonly total: number; readonly seconds: readonly Second[] } = { total: 0, seconds: [] };
  private newest = Number.NEGATIVE_INFINITY;

  /**
   * Counts a request.
   * @param at seconds since 1970
   * @returns false, and nothing is counted, where its second is over for longer than requests last
   */
  add(at: number, shape: string, client: string): boolean {
    const second = Math.floor(at);
    if (second < this.newest - OPEN) return false;
    let of = this.open.get(second);
    if (of === undefined) {
      of = { second, total: 0, shapes: new Map(), clients: new Set() };
      this.open.set(second, of);
      if (second > this.newest) {
        this.newest = second;
        this.close(second - OPEN);
      }
    }
    of.total += 1;
    of.shapes.set(shape, (of.shapes.get(shape) ?? 0) + 1);
    of.clients.add(client);
    return true;
  }

  /** Ends what is open: the next request may be of any time. */
  restart(): void {
    this.close(Number.POSITIVE_INFINITY);
    this.window = [];
    this.newest = Number.NEGATIVE_INFINITY;
  }

  /** Null without any request. */
  busiest(): Minute | null {
    this.close(Number.POSITIVE_INFINITY);
    const { total, seconds } = this.best;
    const [first] = seconds;
    if (first === undefined) return null;
    const shapes = new Map<string, number>();
    for (const one of seconds) {
      for (const [shape, count] of one.shapes) shapes.set(shape, (shapes.get(shape) ?? 0) + count);
    }
    return {
      from: first.second,
      total,
      shapes,
      clients: new Set(seconds.flatMap(({ clients }) => [...clients])),
    };
  }

  /** Moves the window over each second before this one. */
  private close(before: number): void {
    const closed = [...this.open.values()].filter(({ second }) => second < before);
    for (const one of closed.toSorted((a, b) => a.second - b.second)) {
      this.open.delete(one.second);
      this.window = [...this.window.filter(({ second }) => second > one.second - WINDOW), one];
      const total = this.window.reduce((sum, each) => sum + each.total, 0);
      if (total > this.best.total) this.best = { total, seconds: this.window };
    }
  }
}
