import { z } from 'zod';

/** The machine as which a stack was run: confined to its cores and memory, on the cores of this host. */
export const emulatedTierSchema = z.object({
  id: z.string().max(100),
  /** Virtual CPUs. */
  cpus: z.int().positive(),
  /** As the provider names its CPUs: shared, burstable, dedicated-thread, dedicated-core. */
  kind: z.string().max(100),
  /** Of a burstable one: percent of each CPU that it may use in the long run, which is what the stack has; else null. */
  baselinePercent: z.number().nullable(),
  memoryBytes: z.number().positive(),
});

export type EmulatedTier = Readonly<z.infer<typeof emulatedTierSchema>>;

const rounded = (value: number): string => String(Number(value.toPrecision(3)));

/** `4-GB`, `512-MB` */
const memoryText = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${rounded(bytes / 2 ** 30)}-GB` : `${rounded(bytes / 2 ** 20)}-MB`;

/** `as a 2-vCPU, 4-GB box, with this host's cores`: belongs to each number that was measured so. */
export const asBox = ({ cpus, memoryBytes, baselinePercent }: Omit<EmulatedTier, 'id' | 'kind'>): string =>
  `as a ${cpus}-vCPU, ${memoryText(memoryBytes)} box${
    baselinePercent === null ? '' : ` at its baseline of ${rounded(baselinePercent)}%`
  }, with this host's cores`;
