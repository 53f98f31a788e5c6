import type { Budget } from '../scenario/budget.ts';
import { selectorsOf } from '../scenario/metric-selector.ts';
import type { MetricsAddress, ProbeAddresses } from '../stack/probe-address.ts';
import type { DatabaseEndpoint } from '../stack/stack.ts';
import type { Micros } from '../units.ts';
import type { Absence, PartialProbe } from './absence.ts';
import { openAttachedPostgres } from './attached-postgres.ts';
import {
  type AskedMetric,
  isPercentile,
  type MetricsProbe,
  metricsUnreadable,
  openMetricsProbe,
} from './metrics.ts';
import type { Probe } from './probe.ts';
import { openRedisProbe } from './redis.ts';

/** What is watched of a target besides its world servers. */
export interface TargetProbes extends PartialProbe {
  readonly probes: readonly Probe[];
  /** Of each histogram that a budget asks for, by its selector: bounds without the infinite one, and counts, over a span. */
  histograms(
    from: Micros,
    to: Micros,
  ): Readonly<Record<string, { readonly bounds: readonly number[]; readonly counts: readonly number[] }>>;
}

export interface TargetProbeOptions {
  readonly addresses: ProbeAddresses;
  readonly database: DatabaseEndpoint | null;
  /** What they ask of the metrics pages. */
  readonly budgets: readonly Budget[];
  /** The authorities for a Redis over TLS. */
  readonly ca: string | undefined;
}

const CEILINGS: Absence = {
  of: 'ceilings',
  because: "the ceilings write tables of their own, and a target's database is only read",
};

/** What was asked for, by the names of its probes. */
export const probeNames = ({ postgres, redis, metrics }: ProbeAddresses): readonly string[] => [
  ...(postgres === null ? [] : ['postgres']),
  ...(redis === null ? [] : ['redis']),
  ...metrics.map((_, i) => `metrics-${i + 1}`),
];

/** Opens all that was asked for. Rejects with exit code 93 when one cannot be reached; none is left open then. */
export async function openTargetProbes({
  addresses: { redis, metrics },
  database,
  budgets,
  ca,
}: TargetProbeOptions): Promise<TargetProbes> {
  const asked = [...selectorsOf(budgets).values()];
  const absent: Absence[] = [CEILINGS];
  const without = (of: string, what: string, flag: string): void =>
    void absent.push({ of, because: `no ${what} was given: ${flag}` });
  if (database?.attached === undefined) {
    without('database', 'PostgreSQL URL', '--probe-postgres');
    without('integrity', 'PostgreSQL URL', '--probe-postgres');
  }
  if (redis === null) without('redis', 'Redis URL', '--probe-redis');
  if (metrics.length === 0) without('target.metrics', 'Prometheus URL', '--probe-metrics');
  // Together: each may take some seconds to say nothing.
  const [partial, pages] = await allOpened(
    [
      ...(database?.attached === undefined ? [] : [openAttachedPostgres(database, database.attached.shown)]),
      ...(redis === null ? [] : [openRedisProbe(redis, ca)]),
    ],
    metrics.map((address, i) => openPage(address, i + 1, asked)),
  );

  const problemOf = (text: string): string | null => {
    const problems = pages.flatMap((page) => page.histogram(text)?.problem ?? []);
    return problems.length < pages.length ? null : (problems[0] ?? null);
  };
  return {
    probes: [...partial, ...pages],
    absences: () => [
      ...absent,
      ...partial.flatMap((probe) => probe.absences()),
      ...asked.flatMap(({ selector: { text }, stats }): readonly Absence[] => {
        if (pages.length === 0) return [];
        const of = `target.metrics.${text}`;
        const missing: Absence[] = [];
        if (![...stats].every(isPercentile) && !pages.some((page) => page.found(text, 'values'))) {
          missing.push({ of: `${of}.values`, because: `no page has a sample of ${text}` });
        }
        const problem = [...stats].some(isPercentile) ? problemOf(text) : null;
        if (problem !== null) missing.push({ of: `${of}.percentiles`, because: `${text}: ${problem}` });
        return missing;
      }),
    ],
    histograms: (from, to) =>
      Object.fromEntries(
        asked.flatMap(({ selector: { text } }) => {
          const together = added(
            pages
              .filter((page) => page.found(text, 'percentiles'))
              .map((page) => page.histogram(text)?.between(from, to) ?? null),
          );
          return together === null ? [] : [[text, together]];
        }),
      ),
  };
}

/** A page that was read once. */
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

type Buckets = { readonly bounds: readonly number[]; readonly counts: readonly number[] };

/** The same buckets of several pages, added; null when one of them gives none, or others. */
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
