import { MONSTER_TEXTS } from './lanes.ts';
import type { MonsterNumbers, OpenNumbers } from './numbers.ts';
import type { Posts } from './posts.ts';

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
