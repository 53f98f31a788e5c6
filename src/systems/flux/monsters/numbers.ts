import type { Range } from '../../../load/fleet/messages.ts';
import { BREACHES } from '../../../load/ledger.ts';
import type { SourceTools } from '../../../load/source.ts';
import { lanesOf, MONSTER_TEXTS, workerOfLane } from './lanes.ts';
import type { Posts } from './posts.ts';

const NONE: readonly number[] = [];

/** Uncommitted sequence numbers, by monster. */
export type OpenNumbers = ReadonlyMap<number, readonly number[]>;

/** The sequence numbers of a worker's monsters, by index. HOT. */
export class MonsterNumbers {
  /** Entity id of monster 0. */
  readonly firstId: number;
  private readonly isOwn: (monster: number) => boolean;
  private readonly tools: Pick<SourceTools, 'ledger' | 'errors'>;
  /** The last used number. */
  private readonly last: Float64Array;

  constructor(
    world: { readonly players: number; readonly monsters: number },
    share: { readonly worker: number; readonly workers: number },
    tools: MonsterNumbers['tools'],
  ) {
    const lanes = lanesOf(world.monsters);
    this.firstId = world.players;
    this.isOwn = (monster) => workerOfLane(monster % lanes, share.workers) === share.worker;
    this.tools = tools;
    this.last = new Float64Array(world.monsters);
  }

  /** Returns the number of the monster's next command, and records it as sent. */
  next(monster: number): number {
    const sequence = this.last[monster]! + 1;
    this.last[monster] = sequence;
    this.tools.ledger.sent(this.firstId + monster, sequence);
    return sequence;
  }

  acked(monster: number, sequence: number): void {
    this.tools.ledger.acked(this.firstId + monster, sequence);
  }

  /**
   * A server's first welcome, with the last numbers of its monsters, null when none is used.
   * @throws an Error when their number differs from its monsters'
   */
  welcome(range: Range, lastSequences: readonly number[] | null): void {
    this.take(range, lastSequences, (monster, lastSequence) => {
      this.last[monster] = lastSequence;
      this.tools.ledger.welcome(this.firstId + monster, lastSequence);
    });
  }

  /** A later welcome (ledger.ts); `open` are the uncommitted numbers of the previous connection. @throws likewise */
  resume(range: Range, lastSequences: readonly number[] | null, open: OpenNumbers): void {
    this.take(range, lastSequences, (monster, lastSequence) => {
      const id = this.firstId + monster;
      const resumed = this.tools.ledger.resume(
        id,
        lastSequence,
        this.last[monster]!,
        open.get(monster) ?? NONE,
      );
      if (resumed.breach !== null) this.tools.errors.add(BREACHES[resumed.breach]);
      this.last[monster] = resumed.last;
    });
  }

  private take(
    { from, to }: Range,
    lastSequences: readonly number[] | null,
    set: (monster: number, lastSequence: number) => void,
  ): void {
    if (lastSequences !== null && lastSequences.length !== to - from) {
      throw new Error(
        `the welcome has ${lastSequences.length} sequence numbers, expected one for each of the server's ${to - from} monsters`,
      );
    }
    for (let monster = from; monster < to; monster++) {
      if (this.isOwn(monster)) set(monster, lastSequences?.[monster - from] ?? 0);
    }
  }
}

/** The end of a command in a post, by index in MONSTER_TEXTS. */
const ENDS = MONSTER_TEXTS.map((text) => `,"${text}"]`);

/**
 * The body of the post in a slot. Numbers are assigned here, when it is sent, so that skipped posts use none. HOT.
 */
export function writePost(posts: Posts, slot: number, numbers: MonsterNumbers): string {
  const first = slot * posts.commands;
  let body = '[';
  for (let k = first; k < first + posts.commands; k++) {
    const monster = posts.monsters[k]!;
    const sequence = numbers.next(monster);
    posts.sequences[k] = sequence;
    body += `${k === first ? '[' : ',['}${numbers.firstId + monster},${sequence}${ENDS[posts.texts[k]!]}`;
  }
  return `${body}]`;
}

/** The uncommitted numbers in the posts of some slots. */
export function openNumbersIn(posts: Posts, slots: Iterable<number>): OpenNumbers {
  const numbers = new Map<number, number[]>();
  for (const slot of slots) {
    if (posts.committed[slot] === 1) continue;
    const first = slot * posts.commands;
    for (let k = first; k < first + posts.commands; k++) {
      const monster = posts.monsters[k]!;
      const known = numbers.get(monster);
      if (known === undefined) numbers.set(monster, [posts.sequences[k]!]);
      else known.push(posts.sequences[k]!);
    }
  }
  return numbers;
}
