import type { Range } from '../../../load/fleet/messages.ts';
import { BREACHES } from '../../../load/ledger.ts';
import type { SourceTools } from '../../../load/source.ts';
import { lanesOf, MONSTER_TEXTS, workerOfLane } from './lanes.ts';
import type { Posts } from './posts.ts';

const NONE: readonly number[] = [];

/** Numbers of a monster's commands that are not committed, by monster. */
export type OpenNumbers = ReadonlyMap<number, readonly number[]>;

/** The sequence numbers of a worker's monsters, that is of its lanes; monsters by index. HOT. */
export class MonsterNumbers {
  /** Entity id of monster 0. */
  readonly firstId: number;
  private readonly isOwn: (monster: number) => boolean;
  private readonly tools: Pick<SourceTools, 'ledger' | 'errors'>;
  /** Last number used. */
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

  /** The number of the monster's next command, which is being sent. */
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
   * A server's first welcome: the numbers that its monsters have used, null when none has.
   * @throws an Error when they are not as many as its monsters
   */
  welcome(range: Range, lastSequences: readonly number[] | null): void {
    this.take(range, lastSequences, (monster, lastSequence) => {
      this.last[monster] = lastSequence;
      this.tools.ledger.welcome(this.firstId + monster, lastSequence);
    });
  }

  /** A later one (ledger.ts); `open` is what was not committed when the connection before it ended. @throws likewise */
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
    tell: (monster: number, lastSequence: number) => void,
  ): void {
    if (lastSequences !== null && lastSequences.length !== to - from) {
      throw new Error(
        `the welcome holds ${lastSequences.length} sequence numbers, the server owns ${to - from} monsters`,
      );
    }
    for (let monster = from; monster < to; monster++) {
      if (this.isOwn(monster)) tell(monster, lastSequences?.[monster - from] ?? 0);
    }
  }
}

/** The end of a command in a post, by index in MONSTER_TEXTS. */
const ENDS = MONSTER_TEXTS.map((text) => `,"${text}"]`);

/**
 * The body of the post in a slot, which is being sent. Numbers are given out here: what is skipped has none. HOT.
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

/** The numbers in the posts of some slots, but for those that are committed. */
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
