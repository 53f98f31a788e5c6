/** What a page shows, by the ids of its elements: HTML, or data for its script. */
export type Parts = Readonly<Record<string, string>>;

/** The part of an HTTP response that events go to. */
export interface EventSink {
  /** False where the text waits in memory, until `drain`. */
  write(text: string): boolean;
  end(text: string): unknown;
  once(event: 'drain', listener: () => void): unknown;
  on(event: 'close', listener: () => void): unknown;
}

interface Part {
  readonly content: string;
  /** The number of the event with which it changed last. */
  readonly changed: number;
}

/** How long the end waits for viewers who have not read yet. */
const LAST_WORDS_MS = 300;

/**
 * The viewers of a page. Every event has all parts that changed since the last one that the viewer was sent, so that none is
 * ever missed for good, and no history has to be kept: a late viewer gets all parts, one that comes back those that changed
 * meanwhile. A slow viewer has one event at most in memory; what comes until it has read that one is left out.
 */
export class Viewers {
  private readonly run: string;
  private readonly parts = new Map<string, Part>();
  private readonly viewers = new Set<Viewer>();
  private last = 0;
  private isOver = false;

  /** @param run tells the events of one capbench from those of another one at the same port; of letters and digits */
  constructor(run: string) {
    this.run = run;
  }

  get count(): number {
    return this.viewers.size;
  }

  publish(parts: Parts): void {
    const next = this.last + 1;
    for (const [id, content] of Object.entries(parts)) {
      if (this.parts.get(id)?.content === content) continue;
      this.parts.set(id, { content, changed: next });
      this.last = next;
    }
    if (this.last < next) return;
    const events = this.events();
    for (const viewer of this.viewers) viewer.send(events);
  }

  /** @param lastEventId of a viewer who comes back; anything else is a new one */
  add(sink: EventSink, lastEventId?: string): void {
    const [run, seen] = lastEventId?.split('-') ?? [];
    const known = run === this.run ? Number(seen) : 0;
    const isKnown = Number.isInteger(known) && known > 0 && known <= this.last;
    const viewer = new Viewer(sink, isKnown ? known : 0, () => this.events());
    if (this.isOver) {
      void viewer.end(this.events());
      return;
    }
    this.viewers.add(viewer);
    sink.on('close', () => this.viewers.delete(viewer));
    viewer.send(this.events());
  }

  /** The last parts for everybody. Resolves when they have been read, or after a moment. */
  async end(parts: Parts): Promise<void> {
    this.publish(parts);
    this.isOver = true;
    const events = this.events();
    const gone = [...this.viewers].map((viewer) => viewer.end(events));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WORDS_MS);
    });
    await Promise.race([Promise.all(gone), patience]);
    clearTimeout(timer);
  }

  /** The event for a viewer by the last one it was sent; most of them have the same. */
  private events(): Events {
    const made = new Map<number, string>();
    const { last } = this;
    return {
      last,
      after: (seen) => {
        const known = made.get(seen);
        if (known !== undefined) return known;
        const parts = [...this.parts].filter(([, { changed }]) => changed > seen);
        const data = Object.fromEntries(parts.map(([id, { content }]) => [id, content]));
        const text =
          parts.length === 0
            ? ''
            : `id: ${this.run}-${last}\ndata: ${JSON.stringify({ run: this.run, parts: data })}\n\n`;
        made.set(seen, text);
        return text;
      },
    };
  }
}

interface Events {
  readonly last: number;
  /** Empty where nothing has changed. */
  after(seen: number): string;
}

class Viewer {
  private readonly sink: EventSink;
  private readonly latest: () => Events;
  private seen: number;
  private isReading = true;

  constructor(sink: EventSink, seen: number, latest: () => Events) {
    this.sink = sink;
    this.seen = seen;
    this.latest = latest;
  }

  send(events: Events): void {
    if (!this.isReading) return;
    const text = events.after(this.seen);
    if (text === '') return;
    this.seen = events.last;
    this.isReading = this.sink.write(text);
    if (this.isReading) return;
    this.sink.once('drain', () => {
      this.isReading = true;
      this.send(this.latest());
    });
  }

  /** Resolves once the connection has ended. */
  end(events: Events): Promise<void> {
    return new Promise((resolve) => {
      this.sink.on('close', resolve);
      this.sink.end(events.after(this.seen));
      this.seen = events.last;
    });
  }
}
