import { z } from 'zod';
import { type FileKind, readYaml } from '../scenario/document.ts';
import { type Finding, findingsOf, located, reporter } from '../scenario/finding.ts';
import { line, list, map, oneOf, quantity, size, whole, word } from '../scenario/leaf.ts';
import { type Path, ScenarioError } from '../scenario/problem.ts';
import { parseBytes } from '../units.ts';

/**
 * How a virtual CPU belongs to its renter: shared with others; burstable, a share of one in the long run; a thread of a
 * core, whose other thread belongs to somebody else or to the same machine; or a whole core.
 */
export const CPU_KINDS = ['shared', 'burstable', 'dedicated-thread', 'dedicated-core'] as const;
export type CpuKind = (typeof CPU_KINDS)[number];

/** A price per month, without VAT. */
export interface Price {
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: string;
  /** The day on which its source read it at the provider, `2026-09-03`; null: unknown. */
  readonly read: string | null;
  readonly source: string | null;
  /** Whether new customers could order it on that day; null: unknown. */
  readonly orderable: boolean | null;
}

/** A machine that one can rent. */
export interface Tier {
  readonly id: string;
  readonly provider: string;
  /** Virtual CPUs, as the provider counts them. */
  readonly cpus: number;
  readonly arch: 'x64' | 'arm64';
  readonly kind: CpuKind;
  /** Of a burstable one: the share of each CPU that it may use in the long run; null: not stated. */
  readonly baselinePercent: number | null;
  readonly memoryBytes: number;
  /** `extra`: priced apart. */
  readonly diskBytes: number | 'extra' | null;
  /** Outgoing bytes a month that the price contains. */
  readonly trafficBytes: number | 'unlimited' | null;
  /** Of each further GB (10^9 bytes), in the currency of the price; null: not stated. */
  readonly trafficPerGB: number | null;
  /** Null: its source states none, or sources disagree. */
  readonly price: Price | null;
  readonly remark: string | null;
}

const TIERS_FILE: FileKind = {
  noun: 'tiers file',
  example: 'start from a complete one: fixtures/tiers/hetzner.yaml in the package',
};

const MOST_TIERS = 500;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

const DISK = 'extra where it is priced apart, or a size such as 80GB';
const TRAFFIC = 'unlimited, or a size such as 20TB';
const READ = 'the day on which the price was read, such as 2026-09-03';

/** A calendar day that exists. */
const isDay = (text: string): boolean => {
  const time = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
};

const DAY_MS = 86_400_000;
/** Where the reader lives it may be tomorrow already. */
const AHEAD_DAYS = 1;

/** Of days such as `2026-09-03`: negative where the first is the later one. */
export const daysBetween = (from: string, to: string): number =>
  Math.floor((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);

const currency = word(/^[A-Z]{3}$/, 'a currency of three letters, such as EUR');
const day = z.string({ error: READ }).refine(isDay, { error: READ });
const source = line(300);
const trafficPerGB = quantity(0, 1000, 'a price per GB');

const ofTier = {
  provider: line(60).optional(),
  currency: currency.optional(),
  trafficPerGB: trafficPerGB.optional(),
  id: word(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name of lower-case letters, digits and hyphens'),
  cpus: whole(1, 4096),
  arch: oneOf(['x64', 'arm64']).optional(),
  kind: oneOf(CPU_KINDS),
  baselinePercent: quantity(0.1, 100, 'a percentage').optional(),
  memory: size('64MB', '64TB', '512MB or 4GB'),
  disk: z.union([z.literal('extra'), size('1MB', '4096TB')], { error: DISK }).optional(),
  traffic: z.union([z.literal('unlimited'), size('1MB', '4096TB')], { error: TRAFFIC }).optional(),
  price: quantity(0, 1_000_000, 'a price per month').optional(),
  read: day.optional(),
  orderable: z.boolean({ error: 'true or false' }).optional(),
  source: source.optional(),
  remark: line(300).optional(),
};

const fileSchema = map({
  version: z.literal(1, { error: '1, the version of the format' }),
  provider: line(60).optional(),
  currency: currency.optional(),
  read: day.optional(),
  source: source.optional(),
  trafficPerGB: trafficPerGB.optional(),
  tiers: list(map(ofTier), MOST_TIERS, 'tiers', 1),
});

type TiersFile = z.output<typeof fileSchema>;

/** The JSON Schema of a tiers file, for editors. */
export const tiersJsonSchema = () => z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-7' });

/** Traffic is sold in decimal units: 20TB are 20 x 10^12 bytes. */
const DECIMAL: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

function trafficOf(text: string | undefined): Tier['trafficBytes'] {
  if (text === undefined || text === 'unlimited') return text ?? null;
  const [, amount = '0', unit = 'B'] = /^([\d.]+)(\w+)$/.exec(text.trim()) ?? [];
  return Number(amount) * (DECIMAL[unit] ?? 1);
}

const diskOf = (text: string | undefined): Tier['diskBytes'] =>
  text === undefined ? null : text === 'extra' ? 'extra' : (parseBytes(text) ?? null);

function tierOf(one: TiersFile['tiers'][number], file: TiersFile): Tier {
  const money = one.currency ?? file.currency;
  return {
    id: one.id,
    provider: one.provider ?? file.provider ?? 'own',
    cpus: one.cpus,
    arch: one.arch ?? 'x64',
    kind: one.kind,
    baselinePercent: one.baselinePercent ?? null,
    memoryBytes: parseBytes(one.memory) ?? 0,
    diskBytes: diskOf(one.disk),
    trafficBytes: trafficOf(one.traffic),
    trafficPerGB: one.trafficPerGB ?? file.trafficPerGB ?? null,
    price:
      one.price === undefined || money === undefined
        ? null
        : {
            amount: one.price,
            currency: money,
            read: one.read ?? file.read ?? null,
            source: one.source ?? file.source ?? null,
            orderable: one.orderable ?? null,
          },
    remark: one.remark ?? null,
  };
}

/** What the schema of a single key cannot see. */
function conflictsOf(file: TiersFile, today: string | null): readonly Finding[] {
  const { tiers, currency: common } = file;
  const findings: Finding[] = [];
  const report = reporter(findings);
  const checkDay = (path: Path, read: string | undefined): void => {
    if (today !== null && read !== undefined && daysBetween(today, read) > AHEAD_DAYS)
      report(path, `got ${read}, which is to come, expected ${READ}`, `today is ${today} by this machine`);
  };
  checkDay(['read'], file.read);
  const seen = new Map<string, number>();
  for (const [at, { id, kind, baselinePercent, price, currency: own, read }] of tiers.entries()) {
    checkDay(['tiers', at, 'read'], read);
    const first = seen.get(id);
    if (first !== undefined)
      report(
        ['tiers', at, 'id'],
        `got ${id} a second time (tier ${first + 1} has it), expected names that differ`,
      );
    seen.set(id, first ?? at);
    if (baselinePercent !== undefined && kind !== 'burstable')
      report(
        ['tiers', at, 'baselinePercent'],
        `got a baseline for ${kind}, expected one only for burstable`,
        `write kind: burstable, or remove it`,
      );
    if (price !== undefined && (own ?? common) === undefined)
      report(
        ['tiers', at, 'price'],
        'got a price without a currency, expected currency here or for the whole file',
        'add currency: EUR at the top of the file',
      );
  }
  return findings;
}

/**
 * The tiers of a file, in its order. Throws a ScenarioError (exit code 104) with every error, its line, what was found and
 * what was expected.
 * @param file as errors name it
 * @param today `2026-11-30`: no price can have been read later; null: not checked
 */
export function readTiers(file: string, bytes: Uint8Array, today: string | null): readonly Tier[] {
  const document = readYaml(file, bytes, TIERS_FILE);
  const fail = (findings: readonly Finding[]): ScenarioError =>
    new ScenarioError(located(findings, ({ path, of }) => document.where(path, of)));
  const parsed = fileSchema.safeParse(document.value);
  if (!parsed.success) throw fail(findingsOf(parsed.error.issues, document.value, []));
  const conflicts = conflictsOf(parsed.data, today);
  if (conflicts.length > 0) throw fail(conflicts);
  return parsed.data.tiers.map((one) => tierOf(one, parsed.data));
}
