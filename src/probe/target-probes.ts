import type { MetricsAddress, ProbeAddresses } from '../address/probe-address.ts';
import { type AskedMetric, type Budget, processesIn, selectorsOf } from '../scenario/budget.ts';
import { PROCESS_ROOM } from '../scenario/process-metric.ts';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import type { Micros } from '../units.ts';
import { openAttachedPostgres } from './attached-postgres.ts';
import type { BucketCounts as Buckets } from './bucket-history.ts';
import { isPercentile, type MetricsProbe, metricsUnreadable, openMetricsProbe } from './metrics.ts';
import type { Absence, Probe } from './probe.ts';
import { openRedisProbe } from './redis.ts';
import type { ProcessProbe } from './target-processes.ts';

/** When the measure phase was, on the monotonic clock; null where there was none. */
type MeasurePhase = { readonly from: Micros; readonly to: Micros } | null;

interface TargetProbeOptions {
  readonly addresses: ProbeAddresses;
  readonly database: DatabaseEndpoint | null;
  /** The tables whose row writes are counted (postgres.ts). */
  readonly tables: readonly string[];
  /** The scenario names these tables. */
  readonly tablesMustExist?: boolean;
  /** They name the metrics to read. */
  readonly budgets: readonly Budget[];
  /** And so does `watch:`. */
  readonly watch?: readonly string[] | undefined;
  /** The processes of the target that are watched. */
  readonly processes: readonly ProcessProbe[];
  /** CA certificates for a Redis over TLS. */
  readonly ca: string | undefined;
}

const CEILINGS: Absence = {
  of: 'ceilings',
  because: "the ceilings write tables of their own, and a target's database is only read",
};

/** The names of the requested probes. */
export const probeNames = ({ postgres, redis, metrics, processes }: ProbeAddresses): readonly string[] => [
  ...(postgres === null ? [] : ['postgres']),
  ...(redis === null ? [] : ['redis']),
  ...metrics.map((_, i) => `metrics-${i + 1}`),
  ...processes.map(({ name }) => `process-${name}`),
];

/** Opens the requested probes. Rejects with exit code 93 when one cannot be reached; none is left open then. */
export async function openTargetProbes({
  addresses: { redis, metrics },
  database,
  tables,
  tablesMustExist = false,
  budgets,
  watch,
  processes,
  ca,
}: TargetProbeOptions) {
  const asked = [...selectorsOf(budgets, watch).values()];
  const absent: Absence[] = [CEILINGS];
  const without = (of: string, what: string, flag: string): void =>
    void absent.push({ of, because: `no ${what} was given: ${flag}` });
  if (database?.attached === undefined) {
    without('database', 'PostgreSQL URL', '--probe-postgres');
    without('integrity', 'PostgreSQL URL', '--probe-postgres');
  }
  if (redis === null) without('redis', 'Redis URL', '--probe-redis');
  if (metrics.length === 0) without('target.metrics', 'Prometheus URL', '--probe-metrics');
  const given = processes.map(({ name }) => name);
  for (const name of processesIn(budgets)) {
    if (!given.includes(`process-${name}`))
      without(`${PROCESS_ROOM}.${name}`, `process ${name}`, `--probe-process ${name}=:PORT`);
  }
  // In parallel, since each may take seconds to time out.
  const [partial, pages] = await allOpened(
    [
      ...(database?.attached === undefined
        ? []
        : [openAttachedPostgres(database, database.attached.shown, tables, tablesMustExist)]),
      ...(redis === null ? [] : [openRedisProbe(redis, ca)]),
    ],
    metrics.map((address, i) => openPage(address, i + 1, asked)),
  );

  const problemOf = (text: string): string | null =>
    pages.map((page) => page.histogram(text)?.problem ?? null).find((problem) => problem !== null) ?? null;
  const unreadableOf = (text: string): string | null =>
    pages.map((page) => page.unreadable(text)).find((line) => line !== null) ?? null;
  const flawOf = (text: string, measured: MeasurePhase): string | null => {
    const line = unreadableOf(text);
    if (line !== null) return `it is malformed at ${line}`;
    const flaws = pages.map((page) =>
      measured === null ? null : page.flaw(text, measured.from, measured.to),
    );
    return flaws.find((flaw) => flaw !== null) ?? null;
  };
  const histogramOf = (text: string, { from, to }: NonNullable<MeasurePhase>): Buckets | null => {
    const own = pages.filter((page) => page.found(text, 'percentiles'));
    const counted = own.filter((page) => page.histogram(text)?.isEmpty === false);
    // Declared, but without buckets so far.
    if (own.length > 0 && counted.length === 0) return { bounds: [], counts: [0] };
    return added(counted.map((page) => page.histogram(text)?.between(from, to) ?? null));
  };
  const absencesOf = ({ selector: { text }, stats }: AskedMetric, measured: MeasurePhase): Absence[] => {
    if (pages.length === 0) return [];
    const of = `target.metrics.${text}`;
    const flaw = flawOf(text, measured);
    const missing: Absence[] = [];
    if (stats.size === 0) {
      const found = pages.some((page) => page.found(text, 'values') || page.found(text, 'percentiles'));
      const because = found ? flaw : (flaw ?? `no page has ${text}`);
      return because === null ? [] : [{ of, because }];
    }
    if (![...stats].every(isPercentile)) {
      const found = pages.some((page) => page.found(text, 'values'));
      const because = found ? flaw : (flaw ?? `no page has a sample of ${text}`);
      if (because !== null) missing.push({ of: `${of}.values`, because });
    }
    if ([...stats].some(isPercentile)) {
      const found = pages.some((page) => page.found(text, 'percentiles'));
      const problem = found ? problemOf(text) : 'the page has no buckets (_bucket with le)';
      const path = `${of}.percentiles`;
      const because = flaw ?? (problem === null ? null : `${text}: ${problem}`);
      if (because !== null) missing.push({ of: path, because });
      else if (measured !== null && isEmpty(histogramOf(text, measured))) {
        const nothing = `${text} counted no event in the measure phase, so it has no percentiles`;
        missing.push({ of: path, because: nothing, event: true });
      }
    }
    return missing;
  };
  return {
    probes: [...partial, ...pages, ...processes],
    /** The figures that no probe provided, and why. */
    absences: (measured: MeasurePhase) => [
      ...absent,
      ...[...partial, ...processes].flatMap((probe) => probe.absences()),
      ...asked.flatMap((one) => absencesOf(one, measured)),
    ],
    /** The first malformed line of each metric that a budget names. */
    unreadable: () =>
      asked.flatMap(({ selector: { text }, stats }): Absence[] => {
        if (stats.size === 0) return [];
        const line = unreadableOf(text);
        return line === null ? [] : [{ of: `target.metrics.${text}`, because: line }];
      }),
    histograms: (from: Micros, to: Micros) =>
      Object.fromEntries(
        asked.flatMap(({ selector: { text } }): [string, Buckets][] => {
          const together = flawOf(text, { from, to }) === null ? histogramOf(text, { from, to }) : null;
          return together === null ? [] : [[text, together]];
        }),
      ),
  };
}

/** It has buckets that counted nothing. One without any buckets is 0 (measurement/resource-figures.ts). */
const isEmpty = (buckets: Buckets | null): boolean =>
  buckets !== null && buckets.bounds.length > 0 && buckets.counts.every((count) => count === 0);

/** Opens a page and reads it once. */
async function openPage(
  address: MetricsAddress,
  index: number,
  asked: readonly AskedMetric[],
): Promise<MetricsProbe> {
  const page = openMetricsProbe(address, index, asked);
  try {
    await page.sample();
    return page;
  } catch (thrown) {
    await page.close();
    throw metricsUnreadable(thrown, address);
  }
}

/** Where one cannot be opened, the others are closed again. */
async function allOpened<A extends Probe, B extends Probe>(
  some: readonly Promise<A>[],
  others: readonly Promise<B>[],
): Promise<[readonly A[], readonly B[]]> {
  const outcomes = await Promise.allSettled([...some, ...others]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return [await Promise.all(some), await Promise.all(others)];
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.close();
  throw failed.reason;
}

/** The sum of the same buckets of several pages; null when a page has none or different ones. */
function added(all: readonly (Buckets | null)[]): Buckets | null {
  const [first] = all;
  if (first == null) return null;
  const counts = first.counts.map(() => 0);
  for (const one of all) {
    if (one === null || one.bounds.length !== first.bounds.length) return null;
    if (one.bounds.some((bound, i) => bound !== first.bounds[i])) return null;
    for (const [i, count] of one.counts.entries()) counts[i]! += count;
  }
  return { bounds: first.bounds.filter(Number.isFinite), counts };
}

/** The probes of a target besides those of its servers. */
export type TargetProbes = Awaited<ReturnType<typeof openTargetProbes>>;
