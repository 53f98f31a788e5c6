import { z } from 'zod';
import { badInput, messageOf } from '../errors.ts';

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
  scores: z.record(z.enum(NAMES), score),
});
export type Scores = z.output<typeof scoresSchema>;

/** @throws CapbenchError (104) that names the file, the place in it and what was expected */
export function readScores(text: string, source: string): Scores {
  const hint = 'it must be as `capbench score --json` prints it';
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (thrown) {
    throw badInput(`${source} is broken: ${messageOf(thrown)}`, hint);
  }
  const read = scoresSchema.safeParse(parsed);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw badInput(
    `${source} holds no scores: ${issue?.path.join('.') || 'the file'}: ${issue?.message}`,
    hint,
  );
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
