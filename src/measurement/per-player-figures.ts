import { studentQuantile } from '../student.ts';
import type { Figures, SlopeFigures } from './figures.ts';
import type { Measurements, Series, StageFacts } from './measurements.ts';
import { gaugeOf, numbered, paceOf, percentOf, rateOf, sumOf, togetherOf, type Window } from './readings.ts';

/** Fewer different numbers of players make no line with an interval. */
export const FEWEST_NUMBERS = 3;

const UNMEASURED: SlopeFigures = { slope: null, low: null, high: null, points: 0 };

/** The means of a stage, from the time at which it has its rate and its players. */
export interface StageMeans {
  readonly stage: string;
  /** Connected. */
  readonly players: number;
  /** Of the servers, or of the processes of a target that were named, all together. */
  readonly memoryBytes: number | null;
  readonly cpuPercentOfCore: number | null;
  /** Of the players' connections, both directions. */
  readonly bytesPerSecond: number | null;
}

/** The means of each stage of a run whose stages have numbers of players; none of other runs. */
export function stageMeans(m: Measurements): readonly StageMeans[] {
  if (m.stages.every(({ players }) => players === undefined)) return [];
  const [memory, cpu] = [watchedOf(m, 'memoryBytes'), watchedOf(m, 'cpuSeconds')];
  return m.stages.flatMap((stage) => {
    const { name, levelFrom: from, to } = stage;
    const window = { from, to };
    const within = levelWindow(stage, from, to);
    const players = gaugeOf(m.series['load.connected'], within).mean;
    if (players === null) return [];
    const bytes = ['load.bytesIn', 'load.bytesOut'].map((series) => paceOf(m.series[series], window));
    return [
      {
        ...{ stage: name, players },
        memoryBytes: memory.length === 1 ? gaugeOf(memory[0], within).mean : togetherOf(memory, within).mean,
        cpuPercentOfCore: percentOf(sumOf(cpu.map((series) => rateOf(series, window))), 1),
        bytesPerSecond: sumOf(bytes),
      },
    ];
  });
}

/** Who was asked last to join or to leave needs a moment. */
const MOMENT_SECONDS = 0.5;
const EDGE_SECONDS = 0.01;

/**
 * The readings of a stage that has its players from `from` on: one at the very beginning is of the end of the stage before,
 * and at the end the next one begins.
 */
export const levelWindow = (
  { players, playersBefore = players }: Pick<StageFacts, 'players' | 'playersBefore'>,
  from: number,
  to: number,
): Window => ({
  from: from + (players === playersBefore ? EDGE_SECONDS : MOMENT_SECONDS),
  to: to - EDGE_SECONDS,
});

/** The processes of a target that a probe names, where there are any; else the world servers. */
function watchedOf(m: Measurements, name: string): readonly Series[] {
  const named = Object.keys(m.series).filter((key) => key.startsWith('process.') && key.endsWith(`.${name}`));
  return named.length === 0 ? numbered(m.series, 'world', name) : named.flatMap((key) => m.series[key] ?? []);
}

/** What one player more costs, by the stages with different numbers of players. */
export function perPlayerFigures(m: Measurements): Figures['perPlayer'] {
  const means = stageMeans(m);
  const enough = numbersOf(m.stages) >= FEWEST_NUMBERS;
  const of = (what: 'memoryBytes' | 'cpuPercentOfCore' | 'bytesPerSecond'): SlopeFigures => {
    const points = means.flatMap(({ players, [what]: value }) =>
      value === null ? [] : [[players, value] as const],
    );
    return enough && points.length === means.length
      ? slopeOf(points)
      : { ...UNMEASURED, points: points.length };
  };
  return {
    memoryBytes: of('memoryBytes'),
    cpuPercentOfCore: of('cpuPercentOfCore'),
    bytesPerSecond: of('bytesPerSecond'),
  };
}

/** How many different numbers of players the stages have. */
export const numbersOf = (stages: readonly Pick<StageFacts, 'players'>[]): number =>
  new Set(stages.flatMap(({ players }) => players ?? [])).size;

/** The line of least squares through the points: its slope, with the 95% interval of its error. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): SlopeFigures {
  const n = points.length;
  if (n < FEWEST_NUMBERS) return { ...UNMEASURED, points: n };
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / n;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  if (spread === 0) return { ...UNMEASURED, points: n };
  const slope = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
  const rest = points.reduce((sum, point) => sum + (point[1] - y - slope * (point[0] - x)) ** 2, 0);
  const off = studentQuantile(0.95, n - 2) * Math.sqrt(rest / (n - 2) / spread);
  return { slope, low: slope - off, high: slope + off, points: n };
}
