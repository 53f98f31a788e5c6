import type { K6System, PlannedCounts } from '../../../load/k6/k6-system.ts';
import { PlayerPacer } from '../../../load/pacer.ts';
import type { PerOperation } from '../../../scenario/operations.ts';
import type { Workload } from '../../../scenario/workload.ts';
import { lanesOf } from '../monsters/lanes.ts';
import { PostPacer } from '../monsters/post-pacer.ts';
import { fluxWorkload, INTENT, operationOf } from '../workload.ts';

/** The flux world under k6: a virtual user for each block of players, and one for each lane of monsters. */
export const fluxK6: K6System = {
  config: (workload) => {
    const { monsters, postRate } = fluxWorkload(workload);
    return {
      intentsPerSecondOfAPlayer: operationOf(workload, INTENT).perSecond / workload.players,
      lanes: lanesOf(monsters),
      postsPerSecond: postRate,
    };
  },
  origin: (workload) => {
    const { monsters, commandsPerPost } = fluxWorkload(workload);
    return { monsters, commandsPerPost };
  },
  others: (workload) => {
    const { monsters, postRate } = fluxWorkload(workload);
    if (postRate === 0 || monsters === 0) return null;
    return {
      ...{ scenario: 'monsters', exec: 'lane', key: 'lanes' },
      ...{ count: lanesOf(monsters), label: 'lanes of monsters' },
    };
  },
  perRequest: (workload) => ({ intent: 1, monsterCommand: fluxWorkload(workload).commandsPerPost }),
  plannedUntil,
};

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
  const posts = new PostPacer({ seed, postRate, monsters, timeline }, { worker: 0, workers: 1 });
  for (; posts.due < until; posts.advance()) {
    monsterCommand.whole += commandsPerPost;
    if (posts.due >= timeline.measureStart) monsterCommand.measured += commandsPerPost;
  }
  return { intent, monsterCommand };
}
