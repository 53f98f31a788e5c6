import type { PlannedCounts } from '../../../load/k6/k6-system.ts';
import { PlayerPacer } from '../../../load/pacer.ts';
import type { PerOperation } from '../../../scenario/operations.ts';
import type { Workload } from '../../../scenario/workload.ts';
import { PostPacer } from '../monsters/post-pacer.ts';
import { fluxWorkload, INTENT, operationOf } from '../workload.ts';

/** How many operations were due before an instant: in the whole run, and of those in the measure phase. */
export function plannedUntil(workload: Workload, instant: number): PerOperation<PlannedCounts> {
  const { seed, timeline, players } = workload;
  const { monsters, postRate, commandsPerPost } = fluxWorkload(workload);
  const intent = { whole: 0, measured: 0 };
  const monsterCommand = { whole: 0, measured: 0 };
  const until = Math.min(instant, timeline.end);
  const ids = Array.from({ length: players }, (_, player) => player);
  const pacer = new PlayerPacer(seed, ids, operationOf(workload, INTENT).perSecond / players, timeline);
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
