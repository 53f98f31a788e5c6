import { z } from 'zod';
import type { Source } from './budget.ts';
import { OPERATORS } from './sections.ts';

/** One documented number (or word) of fixtures/claims.json, with an id such as `FLX-151`. */
export interface Claim extends Omit<Readonly<z.output<typeof claimSchema>>, 'source_heading' | 'line'> {
  readonly source: Source;
}

/** The claims of all documents, by id. */
export type Claims = ReadonlyMap<string, Claim>;

/** One document, and all claims that it makes, in its order. */
export interface ClaimDocument {
  /** The system whose scenarios rule them. */
  readonly system: string;
  /** In words: what the document is about. */
  readonly name: string;
  /** The name of its file. */
  readonly document: string;
  readonly claims: readonly Claim[];
}

/** How a claim can be proved: by a run under load, a fault, a look at the settings, arithmetic, facts from elsewhere, or not. */
export const PROOFS = ['measure', 'chaos', 'inspect', 'compute', 'external', 'none'] as const;
export type Proof = (typeof PROOFS)[number];

const claimSchema = z.object({
  id: z.string(),
  quantity: z.string(),
  operator: z.enum(OPERATORS),
  value: z.union([z.number(), z.tuple([z.number(), z.number()]), z.string()]),
  unit: z.string(),
  condition: z.string().nullable(),
  source_heading: z.string(),
  line: z.number(),
  verify: z.enum(PROOFS),
});

const fileSchema = z.object({
  systems: z.record(
    z.string(),
    z.object({ name: z.string(), document: z.string(), claims: z.array(claimSchema) }),
  ),
});

/** Parses claims.json. Throws when it is malformed, which is a bug: the file is part of the package. */
export function readDocuments(text: string): readonly ClaimDocument[] {
  const { systems } = fileSchema.parse(JSON.parse(text));
  return Object.entries(systems).map(([system, { name, document, claims }]) => ({
    ...{ system, name, document },
    claims: claims.map(({ source_heading: heading, line, ...claim }) => ({
      ...claim,
      source: { document, heading, line },
    })),
  }));
}

/** The claims of all documents, by id. */
export const claimsOf = (documents: readonly ClaimDocument[]): Claims =>
  new Map(documents.flatMap(({ claims }) => claims.map((claim) => [claim.id, claim] as const)));

/** The claims of claims.json, by id; throws as `readDocuments` does. */
export const readClaims = (text: string): Claims => claimsOf(readDocuments(text));

/** The documents' units -> the metrics' units. Operations, row writes and batches are different units. */
const METRIC_UNITS: Readonly<Record<string, string>> = {
  users: 'players',
  CCU: 'players',
  'intents/s': 'ops/s',
  'commands/s': 'ops/s',
  'batched ops/s': 'batches/s',
  'UPDATE ops/s': 'rows/s',
  'INSERT ops/s': 'rows/s',
  containers: 'servers',
  instances: 'servers',
  'Redis keys': 'keys',
  'Redis keys/player': 'keys',
  'Redis keys/room': 'keys',
  'GB free': 'GB',
  KB: 'kB',
  '% CPU': '%',
  '% per core': '%',
  '% of RAM': '%',
  '% of available': '%',
  '% average': '%',
  '% each': '%',
};

/** Units with the same name in documents and metrics; the last line has those of PostgreSQL's settings. */
const SAME_UNITS: readonly string[] = [
  ...['ops/s', 'ops/batch', 'batches/s', 'connections/s', 'Gbps', 'Mbps'],
  ...['bytes', 'MB', 'GB', 'ms', 's', 'min', '%', 'x'],
  ...['players', 'connections', 'entities', 'matches', 'matches/s', 'types', 'cores', 'version'],
  ...['errors/s', 'failures'],
  ...['processes', 'workers', 'ratio', 'cost', 'requests', 'enum', 'name'],
];

/** The metrics' name of a document's unit; undefined when the budget must state the unit. */
export function metricUnitOf(unit: string): string | undefined {
  if (Object.hasOwn(METRIC_UNITS, unit)) return METRIC_UNITS[unit];
  return SAME_UNITS.includes(unit) ? unit : undefined;
}
