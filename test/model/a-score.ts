import { SCORES, type ScoreName, type Scores } from '../../src/model/scores.ts';

/** The scores of a machine: each is 100, unless it is named. */
export function scoresOf(
  values: Readonly<Partial<Record<ScoreName, number | string>>> = {},
  over: Partial<Scores> = {},
): Scores {
  const entries = (Object.keys(SCORES) as ScoreName[]).map((name) => {
    const value = values[name] ?? 100;
    return [
      name,
      typeof value === 'string'
        ? { unmeasured: value }
        : { value, unit: 'x', better: SCORES[name], spread: 0.01 },
    ] as const;
  });
  return {
    ...{ schemaVersion: 1, kind: 'score', measuredAt: '2026-11-30T12:00:00.000Z', capbench: '1.0.0' },
    ...{ node: 'v22.12.0', cpuModel: 'a cpu', cpus: 4, cores: 2, arch: 'x64', memoryBytes: 8 * 2 ** 30 },
    ...{ stealPercent: 0, otherCores: 0, inMemory: false },
    scores: Object.fromEntries(entries) as Scores['scores'],
    ...over,
  };
}
