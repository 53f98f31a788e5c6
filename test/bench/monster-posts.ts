import { percentileOf } from '../../src/histogram.ts';
import { workloadWith } from '../load/a-workload.ts';
import { type BenchRun, startHelper } from './bench-run.ts';
import type { Comparison } from './comparison.ts';
import { figure } from './figures.ts';
import { loadByEngine } from './native-load.ts';

const MONSTERS = 75_000;
const COMMANDS_PER_POST = 200;
const POSTS_PER_SECOND = 500;
/** What is due uniformly over 2 s waits for up to 200 ms in a tenth of it: 180 ms at the 99th percentile. */
const STALL_MS = 200;
const EVERY_MS = 2_000;
const WARM_UP_SECONDS = 3;
const SECONDS = 4;
const ROUNDS = 4;

interface Round {
  readonly cpuMicros: number;
  readonly p99Ms: number;
}

/**
 * The monsters' driver beside autocannon's programmatic interface, at one rate, against one null world that
 * stalls now and then: what a post costs, and what each says of the stalls.
 */
export async function compareMonsterPosts(run: BenchRun): Promise<Comparison[]> {
  const world = await startHelper(run, 'null-world', [0, MONSTERS, STALL_MS, EVERY_MS]);
  const url = `http://127.0.0.1:${figure(await world.next(), 'port')}`;
  const ours: Round[] = [];
  const theirs: Round[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const [a, b] = [await engine(run, url), await cannon(run, url)];
    ours.push(a);
    theirs.push(b);
    run.progress(
      `monster posts ${round} of ${ROUNDS}: ${a.cpuMicros.toFixed(0)} us, p99 ${a.p99Ms.toFixed(0)} ms, ` +
        `autocannon ${b.cpuMicros.toFixed(0)} us, p99 ${b.p99Ms.toFixed(0)} ms`,
    );
  }
  await world.stop();
  const both = (of: (round: Round) => number) => ({
    ...{ yardstick: 'autocannon', ours: ours.map(of), theirs: theirs.map(of), aim: null },
  });
  const each = (rounds: readonly Round[]): string => rounds.map(({ p99Ms }) => p99Ms.toFixed(0)).join(', ');
  return [
    { measure: 'CPU per post of 200 commands', unit: 'us', ...both(({ cpuMicros }) => cpuMicros) },
    {
      ...{ measure: 'p99 of posts, as reported', unit: 'ms', ...both(({ p99Ms }) => p99Ms) },
      note:
        `The server stalls for ${STALL_MS} ms every ${EVERY_MS / 1e3} s, so the p99 at an even rate is 180 ms. ` +
        `Round by round capbench reported ${each(ours)}. autocannon sends a second's posts at its beginning, so what ` +
        `it says depends on whether a stall meets them: ${each(theirs)}.`,
    },
  ];
}

async function engine(run: BenchRun, url: string): Promise<Round> {
  const { tally, answered, cpuSeconds } = await loadByEngine(
    run,
    url,
    workloadWith({
      ...{ players: 0, intentRate: 0, monsters: MONSTERS },
      ...{ commandsPerPost: COMMANDS_PER_POST, postRate: POSTS_PER_SECOND },
      ...{ warmUp: WARM_UP_SECONDS, duration: SECONDS },
    }),
  );
  const { due, measured } = tally.operations.monsterCommand;
  const p99 = percentileOf(due, 99, measured.scheduled) ?? Number.NaN;
  return roundOf(answered / COMMANDS_PER_POST, cpuSeconds, p99 / 1e3);
}

async function cannon(run: BenchRun, url: string): Promise<Round> {
  const autocannon = await startHelper(run, 'bare-autocannon', [
    ...[url, MONSTERS, COMMANDS_PER_POST, POSTS_PER_SECOND, WARM_UP_SECONDS, SECONDS],
  ]);
  const figures = await autocannon.next();
  await autocannon.stop();
  if (figure(figures, 'refused') > 0)
    throw new Error(`${figure(figures, 'refused')} posts of autocannon's failed`);
  return roundOf(figure(figures, 'posts'), figure(figures, 'cpuSeconds'), figure(figures, 'p99Ms'));
}

/** @throws when the rate was not held: the sides would not have done the same. */
function roundOf(posts: number, cpuSeconds: number, p99Ms: number): Round {
  if (posts < 0.9 * POSTS_PER_SECOND * SECONDS) {
    throw new Error(`${Math.round(posts)} posts in ${SECONDS} s: ${POSTS_PER_SECOND} a second were not held`);
  }
  return { cpuMicros: (cpuSeconds * 1e6) / posts, p99Ms };
}
