import type { Range } from '../../../src/load/fleet/messages.ts';
import { PlayerPacer } from '../../../src/load/pacer.ts';
import { ScheduleHash, scheduleHashOf } from '../../../src/load/schedule-hash.ts';
import type { Workload } from '../../../src/scenario/workload.ts';
import { Lanes } from '../../../src/systems/flux/monsters/lanes.ts';
import { PostPacer } from '../../../src/systems/flux/monsters/post-pacer.ts';
import { fluxWorkload, INTENT, MONSTER_COMMAND, operationOf } from '../../../src/systems/flux/workload.ts';

/** The hash of all that the native engine plans, for world servers that own these monsters. */
export function plannedHash(workload: Workload, ranges: readonly Range[]): string {
  const { monsters, commandsPerPost, postRate } = fluxWorkload(workload);
  const { players, seed, timeline } = workload;

  const native = new ScheduleHash();
  const ids = Array.from({ length: players }, (_, id) => id);
  const pacer = new PlayerPacer(seed, ids, operationOf(workload, INTENT).perSecond / players, timeline);
  for (const id of ids) {
    for (let n = 1, due = pacer.next(id); due < timeline.end; n++, due = pacer.next(id)) {
      native.add(INTENT, id, n, due);
    }
  }
  const posts = new PostPacer({ seed, timeline, postRate, monsters }, { worker: 0, workers: 1 });
  const lanes = new Lanes(seed, monsters, ranges);
  const planned = new Map<number, number>();
  const drawn = new Int32Array(commandsPerPost);
  const texts = new Uint8Array(commandsPerPost);
  for (; posts.due < timeline.end; posts.advance()) {
    lanes.draw(posts.lane, lanes.nextServer(posts.lane), commandsPerPost, drawn, texts, 0);
    for (const monster of drawn) {
      planned.set(monster, (planned.get(monster) ?? 0) + 1);
      native.add(MONSTER_COMMAND, players + monster, planned.get(monster)!, posts.due);
    }
  }
  return scheduleHashOf([native.words()]);
}
