import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../errors.ts';
import type { EventFilter } from '../relay-connection.ts';
import { isEvent, type SignedEvent, tagOf } from '../signed-event.ts';

/** Kinds of which a relay keeps the newest event of each author and `d` tag. */
const [FIRST_KIND, LAST_KIND] = [30_000, 39_999];
const FILE = 'events.jsonl';

type Outcome = 'stored' | 'known' | 'older' | 'another kind';

/**
 * Replaceable events, the newest of each address, in memory and in a file. An event is in the file before `put` returns, so
 * that a killed process does not lose it; whether the host's disk has it is not asked.
 */
export class EventStore {
  readonly #newest: Map<string, SignedEvent>;
  readonly #file: number;
  /** Written to the file by this process. */
  bytes = 0;

  private constructor(newest: Map<string, SignedEvent>, file: number) {
    this.#newest = newest;
    this.#file = file;
  }

  /** Reads what an earlier process left, and writes a file that has the newest events only. */
  static open(folder: string): EventStore {
    const path = join(folder, FILE);
    const newest = new Map<string, SignedEvent>();
    for (const line of linesOf(path)) {
      const event = eventIn(line);
      if (event !== null && isNewer(event, newest.get(addressOf(event)))) newest.set(addressOf(event), event);
    }
    const next = `${path}.next`;
    writeFileSync(next, [...newest.values()].map(lineOf).join(''));
    renameSync(next, path);
    return new EventStore(newest, openSync(path, 'a'));
  }

  get size(): number {
    return this.#newest.size;
  }

  /** `known`: it is stored already; `older`: another one of its address counts. */
  put(event: SignedEvent): Outcome {
    if (event.kind < FIRST_KIND || event.kind > LAST_KIND) return 'another kind';
    const address = addressOf(event);
    const present = this.#newest.get(address);
    if (present?.id === event.id) return 'known';
    if (!isNewer(event, present)) return 'older';
    this.bytes += writeSync(this.#file, lineOf(event));
    this.#newest.set(address, event);
    return 'stored';
  }

  find({ kinds, authors, '#d': names }: EventFilter): readonly SignedEvent[] {
    return [...this.#newest.values()].filter(
      (event) =>
        kinds?.includes(event.kind) !== false &&
        authors?.includes(event.pubkey) !== false &&
        names?.includes(tagOf(event, 'd') ?? '') !== false,
    );
  }

  close(): void {
    closeSync(this.#file);
  }
}

const addressOf = (event: SignedEvent): string => `${event.kind}:${event.pubkey}:${tagOf(event, 'd') ?? ''}`;

/** Of the same second, the one with the lower id counts. */
const isNewer = (event: SignedEvent, present: SignedEvent | undefined): boolean =>
  present === undefined ||
  event.created_at > present.created_at ||
  (event.created_at === present.created_at && event.id < present.id);

const lineOf = (event: SignedEvent): string => `${JSON.stringify(event)}\n`;

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Null for a line whose end was never written. */
function eventIn(line: string): SignedEvent | null {
  try {
    const event: unknown = JSON.parse(line);
    return isEvent(event) ? event : null;
  } catch {
    return null;
  }
}
