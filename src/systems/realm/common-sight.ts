import { isInSight, isSame, type Spot } from './area.ts';
import type { Frame } from './wire.ts';

/** What the agents of one load worker know together: where each stands, and what each has been told of the others. */

type Update = Extract<Frame, { readonly type: 'update' }>;
type Snapshot = Extract<Frame, { readonly type: 'snapshot' }>;

/** Comparing everybody with everybody grows with the square: so many agents of a worker take part. */
const MOST_COMPARED = 64;
/** The frames of two agents arrive one after the other: an update is compared once it is so old, microseconds. */
const SETTLED = 1e6;
/** What is older than this is compared with nothing any more, microseconds. */
const KEPT = 6e6;

/** What held from a tick on, until the next of its kind. */
interface Since<T> {
  readonly tick: number;
  readonly at: number;
  readonly value: T;
}

/** The last values of something, by ticks. */
class History<T> {
  readonly #entries: Since<T>[] = [];
  #isWhole = true;

  add(entry: Since<T>): void {
    this.#entries.push(entry);
    while (this.#entries.length > 1 && this.#entries[1]!.at < entry.at - KEPT) {
      this.#entries.shift();
      this.#isWhole = false;
    }
  }

  /** What held after this tick; null: nothing yet; undefined: that is not kept any more. */
  after(tick: number): T | null | undefined {
    const found = this.#entries.findLast((entry) => entry.tick <= tick);
    if (found !== undefined) return found.value;
    return this.#isWhole ? null : undefined;
  }
}

/** Null: it is out of sight. */
type Told = Spot | null;

/** One agent over one connection. */
export interface Seer {
  snapshot(frame: Snapshot, now: number): void;
  /**
   * `here`: where the agent stands after the moves that the update acknowledges. Returns what earlier updates lacked or had
   * wrong, those of other agents included.
   */
  update(frame: Update, here: Spot, now: number): readonly string[];
  left(): void;
}

/** One that does not take part. */
const APART: Seer = { snapshot: () => undefined, update: () => [], left: () => undefined };

interface Own extends Seer {
  readonly agent: number;
  /** Where it stands. */
  readonly spots: History<Spot>;
  readonly told: Map<number, History<Told>>;
  isOther(agent: number): boolean;
  isHere: boolean;
  /** The ticks of its first and of its last update; 0 before. */
  first: number;
  last: number;
}

/** What has to be compared after a tick, once all frames of it are there. */
interface Pending {
  readonly at: number;
  /** By both numbers, each pair once. */
  readonly pairs: Map<string, readonly [seer: Own, seen: Own]>;
}

/**
 * An agent has to be told of each other agent that comes into its sight, moves in it, or leaves it, in the update of the
 * tick in which it does. One agent alone cannot know that; of two whose moves are both acknowledged with the tick in which they
 * were applied, it is known where they stood after each tick.
 *
 * Only ticks between the first and the last update of both count: whoever has had a later update has had all before.
 */
export class CommonSight {
  #here: readonly Own[] = [];
  /** By ticks, the oldest first. */
  readonly #pending = new Map<number, Pending>();

  /** An agent that has come in. `now`: microseconds. */
  came(agent: number, spot: Spot, isOther: (agent: number) => boolean, now: number): Seer {
    if (this.#here.length >= MOST_COMPARED) return APART;
    const own: Own = {
      ...{ agent, isOther, isHere: true, first: 0, last: 0 },
      ...{ spots: new History<Spot>(), told: new Map<number, History<Told>>() },
      snapshot: ({ agents }, at) => {
        for (const [other, x, z] of agents) tell(own, other, { tick: 0, at, value: { x, z } });
      },
      update: (frame, here, at) => this.#update(own, frame, here, at),
      left: () => {
        own.isHere = false;
        this.#here = this.#here.filter((one) => one !== own);
      },
    };
    own.spots.add({ tick: 0, at: now, value: spot });
    this.#here = [...this.#here, own];
    return own;
  }

  #update(own: Own, { tick, acks, agents, gone }: Update, here: Spot, at: number): readonly string[] {
    // Before anything is forgotten, which it is after a long pause.
    const problems = this.#settled(at);
    if (own.first === 0) own.first = tick;
    own.last = Math.max(own.last, tick);
    if (acks.length > 0) own.spots.add({ tick, at, value: here });
    for (const [other, x, z] of agents) tell(own, other, { tick, at, value: { x, z } });
    for (const other of gone) tell(own, other, { tick, at, value: null });
    const named = new Set([...agents.map(([other]) => other), ...gone]);
    for (const other of this.#here) {
      if (!own.isOther(other.agent)) continue;
      if (acks.length > 0 || named.has(other.agent)) this.#later(tick, at, own, other);
      if (acks.length > 0) this.#later(tick, at, other, own);
    }
    return problems;
  }

  #later(tick: number, at: number, seer: Own, seen: Own): void {
    const pending = this.#pending.get(tick) ?? { at, pairs: new Map() };
    pending.pairs.set(`${seer.agent}:${seen.agent}`, [seer, seen]);
    this.#pending.set(tick, pending);
  }

  #settled(now: number): readonly string[] {
    const problems: string[] = [];
    for (const [tick, { at, pairs }] of this.#pending) {
      if (at > now - SETTLED) break;
      this.#pending.delete(tick);
      for (const [seer, seen] of pairs.values()) {
        if (!covers(seer, tick) || !covers(seen, tick)) continue;
        const problem = problemOf(seer, seen, tick);
        if (problem !== null) problems.push(problem);
      }
    }
    return problems;
  }
}

function tell(own: Own, other: number, entry: Since<Told>): void {
  const history = own.told.get(other) ?? new History<Told>();
  history.add(entry);
  own.told.set(other, history);
}

const covers = ({ isHere, first, last }: Own, tick: number): boolean =>
  isHere && first > 0 && first < tick && tick <= last;

function problemOf(seer: Own, seen: Own, tick: number): string | null {
  const [here, there] = [seer.spots.after(tick), seen.spots.after(tick)];
  const history = seer.told.get(seen.agent);
  const told = history === undefined ? null : history.after(tick);
  if (here == null || there == null || told === undefined) return null;
  const what = `after tick ${tick}, agent ${seer.agent} at ${shown(here)}`;
  if (isInSight(here, there)) {
    if (told === null) return `${what} was not told of agent ${seen.agent} at ${shown(there)}`;
    if (isSame(told, there)) return null;
    return `${what} was told that agent ${seen.agent} is at ${shown(told)}, which is at ${shown(there)}`;
  }
  return told === null ? null : `${what} was not told that agent ${seen.agent} is gone to ${shown(there)}`;
}

const shown = ({ x, z }: Spot): string => `${x}, ${z}`;
