import { expect, test, vi } from 'vitest';
import { userReportIn } from '../../../../src/load/k6/user-report.ts';
import { PlayerPacer } from '../../../../src/load/pacer.ts';
import { ScheduleHash, scheduleHashOf } from '../../../../src/load/schedule-hash.ts';
import { Lanes } from '../../../../src/systems/flux/monsters/lanes.ts';
import { PostPacer } from '../../../../src/systems/flux/monsters/post-pacer.ts';
import { fluxWorkload, INTENT, MONSTER_COMMAND, operationOf } from '../../../../src/systems/flux/workload.ts';
import { fakes, fluxWorkloadOf, partsOf, scriptOf } from '../../../load/k6/script-parts.ts';
import { minimal, read } from '../../../scenario/scenario-text.ts';

interface Script {
  readonly options: { readonly scenarios: Readonly<Record<string, { readonly vus: number }>> };
  readonly players: (data: unknown) => void;
  readonly lane: (data: unknown) => void;
}

/** Nobody answers: what is planned does not depend on it. */
class DeadSocket {
  readonly readyState = 0;
}

test.each([
  [
    'a ramp',
    'ramp: 2s, warmUp: 1s, duration: 4s, intentsPerSecond: 50, monsters: 50, monsterCommandsPerSecond: 280, commandsPerPost: 7',
  ],
  [
    'no ramp, a fractional rate',
    'ramp: 0s, warmUp: 0s, duration: 4s, intentsPerSecond: 37, monsters: 41, monsterCommandsPerSecond: 333, commandsPerPost: 1',
  ],
  [
    'no monsters',
    'ramp: 1s, warmUp: 0s, duration: 3s, intentsPerSecond: 20, monsters: 0, monsterCommandsPerSecond: 0',
  ],
])('all virtual users of the script together plan what the native engine plans: %s', (_name, load) => {
  const lines = load.split(', ').map((line) => `  ${line}\n`);
  const scenario = read(minimal(`${lines.join('')}world: { servers: 2 }\n`));
  const workload = fluxWorkloadOf(scenario);
  const { monsters, commandsPerPost, postRate } = fluxWorkload(workload);
  const half = Math.ceil(monsters / 2);
  const ranges = [
    { from: 0, to: half },
    { from: half, to: monsters },
  ];
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

  const hashes: (readonly [number, number])[] = [];
  const print = (line: string): void => {
    const report = userReportIn(line);
    if (report !== null && 'hash' in report) hashes.push(report.hash);
  };
  const source = scriptOf(scenario);
  vi.useFakeTimers({ now: 1_000_000 });
  try {
    const data = {
      ...{ go: Date.now() + 1000, connectFrom: Date.now(), run: 'k6' },
      worlds: ranges.map((range) => ({
        url: 'http://a',
        players: { from: 0, to: players },
        monsters: range,
      })),
    };
    const { scenarios } = partsOf<Script>(source, fakes()).options;
    for (const [name, { vus }] of Object.entries(scenarios)) {
      for (let user = 0; user < vus; user++) {
        const parts = { exec: { scenario: { iterationInTest: user } }, socket: DeadSocket, print };
        const script = partsOf<Script>(source, fakes({ CAPBENCH_REPORTS: '1' }, parts));
        (name === 'players' ? script.players : script.lane)(data);
      }
    }
    vi.advanceTimersByTime(60_000);
  } finally {
    vi.useRealTimers();
  }
  expect(scheduleHashOf(hashes)).toBe(scheduleHashOf([native.words()]));
});
