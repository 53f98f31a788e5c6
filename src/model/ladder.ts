import { z } from 'zod';
import { badInput } from '../errors.ts';
import { readDocument } from '../json-document.ts';
import { emulatedTierSchema } from '../measurement/emulated-tier.ts';
import type { Read } from '../measurement/figure-kinds.ts';

const text = z.string();
const count = z.int().nonnegative();
const positive = z.number().positive();
const value = z.union([z.number(), z.tuple([z.number(), z.number()]), text]);

/** The budget, or the rule of the load, that a step broke. */
const brokenSchema = z.object({
  id: text,
  title: text,
  /** A path in report.json; of a rule its id. */
  metric: text,
  limit: value.nullable(),
  /** Null where nothing was answered, so that there is no figure. */
  observed: value.nullable(),
  unit: text,
});

const ranOutSchema = z.object({ resource: text, evidence: text });

/** Who is the reason that a step has no conclusion; null: none of them. */
export const GAVE_OUT = ['generator', 'host', 'stack'] as const;

const stepSchema = z.object({
  /** From 1. */
  step: z.int().positive(),
  players: z.int().positive(),
  /** Of the scenario's players and rates. */
  scale: positive,
  purpose: z.enum(['double', 'halve', 'bisect', 'confirm', 'again']),
  /** The length of the measure phase. */
  seconds: positive,
  seed: count,
  /** The folder of the run, in that of the search; a file that somebody else wrote does not lead elsewhere. */
  bundle: text.regex(/^(?!\.{1,2}$)[^/\\\0]+$/, { error: 'expected the name of a folder' }),
  outcome: z.enum(['pass', 'fail', 'invalid']),
  exitCode: count,
  because: text,
  brokeFirst: brokenSchema.nullable(),
  ranOut: ranOutSchema.nullable(),
  gaveOut: z.enum(GAVE_OUT).nullable(),
  /** It has no conclusion only because there were too few answers, even if all had been in time; absent: it is not so. */
  tooFew: z.literal(true).optional(),
  /** It has no conclusion only because its answers, enough of them, did not show that a percentile is kept; absent: it is not so. */
  notShown: z.literal(true).optional(),
  /** From the start of the step to its end, stack and reports included. */
  tookSeconds: z.number().nonnegative(),
  operationsPerSecond: z.number().nullable(),
  /** Of the operation with the tightest budget on its latency, from the scheduled time; null where nothing was measured. */
  latency: z.object({ label: text, p50Ms: z.number().nullable(), p95Ms: z.number().nullable() }).nullable(),
});

const found = z.object({
  found: z.literal(true),
  /** The stated capacity: the lower end of what is known. */
  players: z.int().positive(),
  lastPass: z.int().positive(),
  firstFail: z.int().positive(),
  /** Trials of the stated number, at full length, since it was a candidate. */
  confirmed: z.object({ passed: count, of: count }),
  brokeFirst: brokenSchema.nullable(),
  ranOut: ranOutSchema.nullable(),
  /** Why the search ended before it was as precise as asked for, or confirmed; null where it did not. */
  unfinished: text.nullable(),
});

const notFound = z.object({
  found: z.literal(false),
  because: text,
  lastPass: z.int().positive().nullable(),
  firstFail: z.int().positive().nullable(),
  gaveOut: z.enum(GAVE_OUT).nullable(),
});

const resultSchema = z.discriminatedUnion('found', [found, notFound]);

/** search.json. Fields may be added; none is changed or removed. */
export const ladderSchema = z.object({
  schemaVersion: z.literal(1),
  kind: z.literal('search'),
  capbench: text,
  scenario: text,
  system: text,
  /** Of the scenario at scale 1. */
  scenarioHash: text,
  basePlayers: z.int().positive(),
  precisionPercent: positive,
  seed: count,
  startedAt: z.iso.datetime(),
  /** Each step loaded the same running server; false: each had a fresh stack. */
  sameServer: z.boolean(),
  /** The machine as which the stack was run, by its id; null: as this host. */
  tier: text.nullable(),
  /** What was known of that machine. */
  tierFacts: emulatedTierSchema.optional(),
  /** The agents that made the load, HOST:PORT; absent: this host did. */
  agents: z.array(text).optional(),
  host: z.object({ name: text, cpuModel: text, cpus: z.int().positive() }),
  /** The tightest budget on a percentile of a latency that stands for the whole run; null where there is none. */
  latencyLimit: z.object({ name: text, ms: z.number() }).nullable(),
  steps: z.array(stepSchema),
  result: resultSchema.nullable(),
});

/** The facts of a search. */
export type Ladder = Read<typeof ladderSchema>;
export type LadderStep = Read<typeof stepSchema>;
export type LadderResult = Read<typeof resultSchema>;
export type Broken = Read<typeof brokenSchema>;
export type GaveOut = (typeof GAVE_OUT)[number];

/** Reads a search.json. @throws CapbenchError (104) that names the file, the place in it, and what was expected */
export function readLadder(content: string | Uint8Array, source: string): Ladder {
  const hint = 'it must be as `capbench search` wrote it';
  const read = readDocument(ladderSchema, content, source, hint);
  const { steps } = read;
  const misplaced = steps.findIndex(({ step }, i) => step !== i + 1);
  if (misplaced >= 0)
    throw badInput(`${source} is broken: steps.${misplaced}: its step has another number`, hint);
  return read;
}
