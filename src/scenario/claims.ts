import { z } from 'zod';
import { OPERATORS, type Operator, type Source } from './budget.ts';

/** One number (or word) of a document, as fixtures/claims.json lists it. */
export interface Claim {
  /** `FLX-151` */
  readonly id: string;
  readonly quantity: string;
  readonly operator: Operator;
  readonly value: number | readonly [number, number] | string;
  readonly unit: string;
  readonly condition: string | null;
  readonly source: Source;
}

/** The claims of all documents, by id. */
export type Claims = ReadonlyMap<string, Claim>;

const claimSchema = z.object({
  id: z.string(),
  quantity: z.string(),
  operator: z.enum(OPERATORS),
  value: z.union([z.number(), z.tuple([z.number(), z.number()]), z.string()]),
  unit: z.string(),
  condition: z.string().nullable(),
  source_heading: z.string(),
  line: z.number(),
});

const fileSchema = z.object({
  systems: z.record(z.string(), z.object({ document: z.string(), claims: z.array(claimSchema) })),
});

/** Reads the text of claims.json. Throws when it is not that: the file is part of the package. */
export function readClaims(text: string): Claims {
  const { systems } = fileSchema.parse(JSON.parse(text));
  const claims = new Map<string, Claim>();
  for (const { document, claims: list } of Object.values(systems)) {
    for (const { source_heading: heading, line, ...claim } of list) {
      claims.set(claim.id, { ...claim, source: { document, heading, line } });
    }
  }
  return claims;
}

/**
 * The documents' spellings of units, in the words of units.ts. An operation, a row write and a batch stay
 * three different things.
 */
const METRIC_UNITS: Readonly<Record<string, string>> = {
  users: 'players',
  CCU: 'players',
  'intents/s': 'operations/s',
  'commands/s': 'operations/s',
  'ops/s': 'operations/s',
  'ops/batch': 'operations',
  'batched ops/s': 'batches/s',
  'batches/s': 'batches/s',
  'UPDATE ops/s': 'row writes/s',
  'INSERT ops/s': 'row writes/s',
  'connections/s': 'connections/s',
  connections: 'connections',
  containers: 'servers',
  entities: 'entities',
  'GB free': 'GB',
  GB: 'GB',
  MB: 'MB',
  KB: 'kB',
  bytes: 'bytes',
  Gbps: 'Gbps',
  '%': '%',
  '% CPU': '%',
  '% per core': '%',
  '% of RAM': '%',
  '% each': '%',
  ms: 'ms',
  s: 's',
  min: 'min',
  x: 'x',
  cores: 'cores',
  version: 'version',
};

/** The word of units.ts for a document's unit; undefined when a budget has to name it. */
export const metricUnitOf = (unit: string): string | undefined =>
  Object.hasOwn(METRIC_UNITS, unit) ? METRIC_UNITS[unit] : undefined;
