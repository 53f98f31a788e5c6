import { monotonic } from '../../src/clock.ts';
import { createNativeEngine } from '../../src/load/native.ts';
import { micros } from '../../src/units.ts';
import { workloadWith } from '../load/a-workload.ts';
import { type BenchRun, type Helper, startHelper } from './bench-run.ts';
import type { Comparison } from './comparison.ts';
import { figure } from './figures.ts';

const PLAYERS = 1000;
const PER_SECOND = 5000;
const WARM_UP_SECONDS = 3;
const SECONDS = 4;
const ROUNDS = 5;
const GO_DELAY = 200_000;

/** One round of either side. */
interface Round {
  readonly cpuMicros: number;
  readonly memoryKilobytes: number;
  /** Both ways, payload alone, as the server counts it. */
  readonly bytes: number;
}

/**
 * The native engine beside a bare `ws` loop: one process each, the same connections, rate, texts and answers,
 * against one null world. The engine also keeps a schedule, latencies, a ledger, and reads what it is told.
 */
export async function compareRoundTrips(run: BenchRun): Promise<Comparison[]> {
  const world = await startHelper(run, 'null-world', [PLAYERS]);
  try {
    const url = `http://127.0.0.1:${figure(await world.next(), 'port')}`;
    const ours: Round[] = [];
    const theirs: Round[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const [a, b] = [
        await measured(world, () => engine(run, url)),
        await measured(world, () => bare(run, url)),
      ];
      ours.push(a);
      theirs.push(b);
      run.progress(
        `round trips ${round} of ${ROUNDS}: ${a.cpuMicros.toFixed(1)} us, bare ${b.cpuMicros.toFixed(1)} us`,
      );
    }
    const line = (measure: string, unit: string, of: (round: Round) => number, limit: number | null) => ({
      ...{ measure, unit, yardstick: 'a bare ws loop' },
      ...{ ours: ours.map(of), theirs: theirs.map(of) },
      aim: limit === null ? null : ({ operator: '<=', limit } as const),
    });
    return [
      line('CPU per round trip', 'us', ({ cpuMicros }) => cpuMicros, 1.3),
      line('memory per player', 'kB', ({ memoryKilobytes }) => memoryKilobytes, null),
      line('bytes per round trip', 'B', ({ bytes }) => bytes, null),
    ];
  } finally {
    await world.stop();
  }
}

/** With the bytes a round trip took, by the server's own count. */
async function measured(world: Helper, side: () => Promise<Omit<Round, 'bytes'>>): Promise<Round> {
  const before = await world.ask('counts');
  const round = await side();
  const after = await world.ask('counts');
  const delta = (name: string): number => figure(after, name) - figure(before, name);
  return { ...round, bytes: (delta('bytesIn') + delta('bytesOut')) / delta('framesOut') };
}

async function engine({ watchdog, signal }: BenchRun, url: string): Promise<Omit<Round, 'bytes'>> {
  const fleet = await createNativeEngine({ workers: 1, watchdog }).prepare(
    workloadWith({
      players: PLAYERS,
      intentRate: PER_SECOND / PLAYERS,
      monsters: 0,
      postRate: 0,
      warmUp: WARM_UP_SECONDS,
      duration: SECONDS,
      connectsPerSecond: 2000,
    }),
    { worlds: [{ url, pid: null }], database: null },
    signal,
  );
  const stop = (): void => void fleet.close();
  signal.addEventListener('abort', stop);
  try {
    let roundTrips = 0;
    let cpuSeconds = 0;
    let memoryBytes = 0;
    await fleet.run(micros(monotonic() + GO_DELAY), ({ at, operations, workers }) => {
      if (at <= WARM_UP_SECONDS * 1e6 || at > (WARM_UP_SECONDS + SECONDS) * 1e6) return;
      roundTrips += operations.intent.ok;
      for (const worker of workers) cpuSeconds += worker.cpuSeconds;
      memoryBytes = workers.reduce((sum, worker) => sum + worker.memoryBytes, 0);
    });
    return roundOf(roundTrips, cpuSeconds, memoryBytes);
  } finally {
    signal.removeEventListener('abort', stop);
    await fleet.close();
  }
}

async function bare(run: BenchRun, url: string): Promise<Omit<Round, 'bytes'>> {
  const loop = await startHelper(run, 'bare-ws', [
    ...[url.replace('http', 'ws'), PLAYERS, PER_SECOND],
    ...[WARM_UP_SECONDS, SECONDS],
  ]);
  try {
    const said = await loop.next();
    return roundOf(figure(said, 'roundTrips'), figure(said, 'cpuSeconds'), figure(said, 'memoryBytes'));
  } finally {
    await loop.stop();
  }
}

/** @throws when the rate was not held: the sides would not have done the same. */
function roundOf(roundTrips: number, cpuSeconds: number, memoryBytes: number): Omit<Round, 'bytes'> {
  if (roundTrips < 0.98 * PER_SECOND * SECONDS) {
    throw new Error(
      `${roundTrips} round trips in ${SECONDS} s: this host does not hold ${PER_SECOND} a second`,
    );
  }
  return {
    cpuMicros: (cpuSeconds * 1e6) / roundTrips,
    memoryKilobytes: memoryBytes / PLAYERS / 1024,
  };
}
