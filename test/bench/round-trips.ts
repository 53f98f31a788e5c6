import { workloadWith } from '../load/a-workload.ts';
import { type BenchRun, type Helper, startHelper } from './bench-run.ts';
import type { Comparison } from './comparison.ts';
import { figure } from './figures.ts';
import { loadByEngine } from './native-load.ts';

const PLAYERS = 1000;
const PER_SECOND = 5000;
/** Both sides are compiled by then. */
const WARM_UP_SECONDS = 5;
const SECONDS = 4;
const ROUNDS = 5;

/** What one side did in the timed part of a round. */
interface Work {
  readonly roundTrips: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

interface Round {
  readonly cpuMicros: number;
  readonly kilobytes: number;
  /** Both ways, payload alone, as the server counts it. */
  readonly bytes: number;
}

/**
 * The native engine beside a bare `ws` loop: one process each, the same connections, rate, texts and answers,
 * against one null world. The engine also keeps a schedule, latencies, a ledger, and reads what it is told.
 */
export async function compareRoundTrips(run: BenchRun): Promise<Comparison[]> {
  const world = await startHelper(run, 'null-world', [PLAYERS]);
  const url = `http://127.0.0.1:${figure(await world.next(), 'port')}`;
  const ours: Round[] = [];
  const theirs: Round[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const a = await measured(world, () => engine(run, url));
    const b = await measured(world, () => bare(run, url));
    ours.push(a);
    theirs.push(b);
    run.progress(
      `round trips ${round} of ${ROUNDS}: ${a.cpuMicros.toFixed(1)} us, bare ${b.cpuMicros.toFixed(1)} us`,
    );
  }
  await world.stop();
  const line = (measure: string, unit: string, of: (round: Round) => number, limit: number | null) => ({
    ...{ measure, unit, yardstick: 'a bare ws loop', ours: ours.map(of), theirs: theirs.map(of) },
    aim: limit === null ? null : ({ operator: '<=', limit } as const),
  });
  return [
    line('CPU per round trip', 'us', ({ cpuMicros }) => cpuMicros, 1.3),
    line("process's memory per player", 'kB', ({ kilobytes }) => kilobytes, null),
    line('bytes per round trip', 'B', ({ bytes }) => bytes, null),
  ];
}

/** @throws when the rate was not held: the sides would not have done the same. */
async function measured(world: Helper, side: () => Promise<Work>): Promise<Round> {
  const before = await world.ask('counts');
  const { roundTrips, cpuSeconds, memoryBytes } = await side();
  const after = await world.ask('counts');
  const delta = (name: string): number => figure(after, name) - figure(before, name);
  if (roundTrips < 0.98 * PER_SECOND * SECONDS) {
    throw new Error(`${roundTrips} round trips in ${SECONDS} s: ${PER_SECOND} a second were not held`);
  }
  return {
    cpuMicros: (cpuSeconds * 1e6) / roundTrips,
    kilobytes: memoryBytes / PLAYERS / 1024,
    bytes: (delta('bytesIn') + delta('bytesOut')) / delta('framesOut'),
  };
}

async function engine(run: BenchRun, url: string): Promise<Work> {
  const { answered, cpuSeconds, memoryBytes } = await loadByEngine(
    run,
    url,
    workloadWith({
      ...{ players: PLAYERS, intentRate: PER_SECOND / PLAYERS, monsters: 0, postRate: 0 },
      ...{ warmUp: WARM_UP_SECONDS, duration: SECONDS, connectsPerSecond: 2000 },
    }),
  );
  return { roundTrips: answered, cpuSeconds, memoryBytes };
}

async function bare(run: BenchRun, url: string): Promise<Work> {
  const args = [url.replace('http', 'ws'), PLAYERS, PER_SECOND, WARM_UP_SECONDS, SECONDS];
  const loop = await startHelper(run, 'bare-ws', args);
  const figures = await loop.next();
  await loop.stop();
  return {
    roundTrips: figure(figures, 'roundTrips'),
    cpuSeconds: figure(figures, 'cpuSeconds'),
    memoryBytes: figure(figures, 'memoryBytes'),
  };
}
