import { z } from 'zod';
import { badInput } from '../errors.ts';
import { issueOf, jsonIn } from '../json-document.ts';

/** The scores of a machine, and in which direction each is better. */
export const SCORES = {
  javascript: 'higher',
  webSocket: 'higher',
  loopback: 'higher',
  fdatasyncP50: 'lower',
  fdatasyncP95: 'lower',
  memoryBandwidth: 'higher',
  batchedUpdates: 'higher',
} as const;
export type ScoreName = keyof typeof SCORES;
const NAMES = Object.keys(SCORES) as readonly ScoreName[];

const score = z.union([
  z.object({
    value: z.number().positive(),
    unit: z.string(),
    better: z.enum(['higher', 'lower']),
    /** Relative half-width of the middle 80% of its repetitions. */
    spread: z.number().nonnegative(),
  }),
  z.object({ unmeasured: z.string() }),
]);

/** `capbench score --json`, version 1. Fields may be added. */
export const scoresSchema = z.object({
  schemaVersion: z.literal(1),
  kind: z.literal('score'),
  measuredAt: z.string(),
  capbench: z.string(),
  node: z.string(),
  cpuModel: z.string(),
  /** That this process may use. */
  cpus: z.int().positive(),
  /** Physical ones; null where the system does not say. */
  cores: z.int().positive().nullable(),
  arch: z.string(),
  memoryBytes: z.number().positive(),
  /** While it was measured; null where the system does not say. */
  stealPercent: z.number().nullable(),
  /** Cores that others used just before or just after, whichever was more; null where the system does not say. */
  otherCores: z.number().nullable().optional(),
  /** The temporary directory is in memory (tmpfs), so that nothing of it was synced to a disk. */
  inMemory: z.boolean().optional(),
  scores: z.record(z.enum(NAMES), score),
});
export type Scores = z.output<typeof scoresSchema>;

/** @throws CapbenchError (104) that names the file, the place in it and what was expected */
export function readScores(content: string | Uint8Array, source: string): Scores {
  const hint = 'it must be as `capbench score --json` prints it';
  const read = scoresSchema.safeParse(jsonIn(content, source, hint));
  if (read.success) return read.data;
  throw badInput(`${source} holds no scores: ${issueOf(read.error)}`, hint);
}

/**
 * How fast a core is for a server of this kind: the geometric mean of the loop of JavaScript and of that of a WebSocket, as far as
 * both were measured. Only its ratio to that of another machine means anything.
 * @throws CapbenchError (104) where neither was measured
 */
export function speedOf({ scores }: Scores, source: string): number {
  const known = (['javascript', 'webSocket'] as const).flatMap((name) => {
    const one = scores[name];
    return one !== undefined && 'value' in one ? [one.value] : [];
  });
  if (known.length === 2) return Math.sqrt((known[0] ?? 1) * (known[1] ?? 1));
  throw badInput(
    `${source} has no score of a core: javascript and webSocket are missing`,
    'run `capbench score` again',
  );
}

/** How one machine compares with another. */
export interface ScoresComparison {
  /** By the score: above 1 where the first machine is better; only of what both have measured. */
  readonly ratios: Readonly<Partial<Record<ScoreName, number>>>;
  /** How many times as fast a core of the first is, by `speedOf`; null where that was not measured. */
  readonly core: number | null;
  /** Why the two are not quite comparable. */
  readonly differences: readonly string[];
}

export function comparisonOf(here: Scores, there: Scores): ScoresComparison {
  const ratios: Partial<Record<ScoreName, number>> = {};
  for (const name of NAMES) {
    const [own, other] = [here.scores[name], there.scores[name]];
    if (own === undefined || other === undefined || !('value' in own) || !('value' in other)) continue;
    ratios[name] = own.better === 'higher' ? own.value / other.value : other.value / own.value;
  }
  const { javascript, webSocket } = ratios;
  const both = javascript === undefined || webSocket === undefined ? null : Math.sqrt(javascript * webSocket);
  const differ = (what: string, own: string, other: string): readonly string[] =>
    own === other ? [] : [`${what} ${own} here, ${other} there`];
  return {
    ratios,
    core: both,
    differences: [
      ...differ('capbench', here.capbench, there.capbench),
      ...differ('Node', majorOf(here.node), majorOf(there.node)),
      ...differ('files', filesOf(here), filesOf(there)),
    ],
  };
}

const filesOf = ({ inMemory }: Scores): string => (inMemory === true ? 'in memory' : 'on a disk');
/** `v22` */
const majorOf = (version: string): string => version.split('.', 1)[0] ?? version;
