import type { Operation, Workload } from '../../scenario/workload.ts';
import { PlayerPacer, PostPacer } from '../pacer.ts';

/** How many operations were due before an instant: in the whole run, and of those in the measure phase. */
export function plannedUntil(
  { seed, timeline, players, intentRate, monsters, postRate, commandsPerPost }: Workload,
  instant: number,
): Readonly<Record<Operation, { readonly whole: number; readonly measured: number }>> {
  const intent = { whole: 0, measured: 0 };
  const monsterCommand = { whole: 0, measured: 0 };
  const until = Math.min(instant, timeline.end);
  const ids = Array.from({ length: players }, (_, player) => player);
  const pacer = new PlayerPacer(seed, ids, intentRate, timeline);
  for (const player of ids) {
    for (let due = pacer.next(player); due < until; due = pacer.next(player)) {
      intent.whole += 1;
      if (due >= timeline.measureStart) intent.measured += 1;
    }
  }
  const posts = new PostPacer(seed, postRate, monsters, timeline, 0, 1);
  for (; posts.due < until; posts.advance()) {
    monsterCommand.whole += commandsPerPost;
    if (posts.due >= timeline.measureStart) monsterCommand.measured += commandsPerPost;
  }
  return { intent, monsterCommand };
}
