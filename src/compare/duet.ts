import { z } from 'zod';
import { badInput } from '../errors.ts';
import { readDocument } from '../json-document.ts';
import type { Read } from '../measurement/figure-kinds.ts';

const text = z.string();
const count = z.int().nonnegative();
const positive = z.number().positive();

/** What is run under one of the two names. */
const versionSchema = z.object({
  /** For sentences and heads of tables: a git ref with its commit, or a command. */
  name: text,
  /** The start command. */
  command: text,
  /** Of the code; null where nothing is known of it. */
  commit: text.nullable(),
  /** SHA-256 of what the working directory has changed of that commit; null: nothing, or not known. */
  changes: text.nullable(),
});

const attemptSchema = z.object({
  /** From 1, in the order in which they were made. */
  attempt: z.int().positive(),
  /** Its place in the order of the duet, from 1. */
  trial: z.int().positive(),
  version: z.enum(['base', 'head']),
  /** The same in both trials of a pair. */
  seed: count,
  /** Of the measure phase. */
  seconds: positive,
  /** The folder of the run, in that of the duet. */
  bundle: text,
  outcome: z.enum(['pass', 'fail', 'invalid']),
  exitCode: count,
  because: text,
  startedAt: z.iso.datetime(),
  /** From the start of the stack to the last report. */
  tookSeconds: z.number().nonnegative(),
});

/** Why no further trial was made: enough are there, no more are allowed, or none would help. */
const resultSchema = z.object({
  stopped: z.enum(['power', 'trials', 'time', 'invalid', 'failed', 'not comparable']),
  because: text,
});

/** duet.json. Fields may be added; none is changed or removed. */
export const duetSchema = z.object({
  schemaVersion: z.literal(1),
  kind: z.literal('duet'),
  capbench: text,
  scenario: text,
  system: text,
  scenarioHash: text,
  gate: z.object({ thresholdPercent: positive, confidencePercent: positive, metrics: z.array(text) }),
  seed: count,
  /** The length of each measure phase, and that of the scenario. */
  seconds: positive,
  fullSeconds: positive,
  startedAt: z.iso.datetime(),
  host: z.object({ name: text, cpuModel: text, cpus: z.int().positive() }),
  base: versionSchema,
  head: versionSchema,
  attempts: z.array(attemptSchema),
  result: resultSchema.nullable(),
});

/** The facts of a duet: two versions, and the trials that were made of them in turn. */
export type Duet = Read<typeof duetSchema>;
export type DuetAttempt = Read<typeof attemptSchema>;
export type DuetVersion = Read<typeof versionSchema>;
export type DuetResult = Read<typeof resultSchema>;
export type VersionName = DuetAttempt['version'];

/** Reads a duet.json. @throws CapbenchError (104) that names the file, the place in it, and what was expected */
export function readDuet(content: string | Uint8Array, source: string): Duet {
  const hint = 'it must be as `capbench duet` wrote it';
  const read = readDocument(duetSchema, content, source, hint);
  const { attempts } = read;
  const misplaced = attempts.findIndex(({ attempt }, i) => attempt !== i + 1);
  if (misplaced >= 0)
    throw badInput(`${source} is broken: attempts.${misplaced}: its attempt has another number`, hint);
  return read;
}
