import { z } from 'zod';
import type { LoadPoint } from '../../../src/model/load-point.ts';

/** How one host is made into a smaller machine. */
export type Way = 'quota' | 'duty';

/** Where something was measured. */
interface Where {
  readonly world: string;
  readonly way: Way;
  /** Cores of the machine, as planned. */
  readonly machine: number;
  /** As they were: what a neighbour of known duty left. */
  readonly cpus: number;
}

export interface MeasuredRun extends Where {
  readonly kind: 'run';
  readonly point: LoadPoint;
}

export interface MeasuredSearch extends Where {
  readonly kind: 'search';
  readonly lastPass: number;
  readonly firstFail: number;
  /** The runs of the last pass, at full length. */
  readonly points: readonly LoadPoint[];
}

/** One measurement: a JSON file. */
export type Measurement = MeasuredRun | MeasuredSearch;

const where = z.object({
  ...{ world: z.string(), way: z.enum(['quota', 'duty']) },
  ...{ machine: z.number().positive(), cpus: z.number().positive() },
});
/** It was written by this program; a file of an earlier version may lack what is new. */
const point = z.custom<LoadPoint>(
  (value) =>
    z.looseObject({ players: z.number(), cpuCores: z.record(z.string(), z.number()) }).safeParse(value)
      .success,
);
const schema = z.discriminatedUnion('kind', [
  where.extend({ kind: z.literal('run'), point }),
  where.extend({
    ...{ kind: z.literal('search'), points: z.array(point) },
    ...{ lastPass: z.int().positive(), firstFail: z.int().positive() },
  }),
]);

/** @throws Error that names the file, which is to be removed */
export function readMeasurement(text: string, source: string): Measurement {
  let parsed: unknown = null;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Said below.
  }
  const read = schema.safeParse(parsed);
  if (read.success) return read.data;
  throw new Error(`${source} is no measurement of this version: remove it, and it is measured again`);
}
