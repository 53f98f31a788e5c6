import type { ProbeAddresses } from '../address/probe-address.ts';
import { interrupted } from '../errors.ts';
import { openHostProbe } from '../probe/host.ts';
import { busyNeighbours, portsUnderTest } from '../probe/neighbours.ts';
import { openPostgresProbe } from '../probe/postgres.ts';
import { untilClosed } from '../probe/probe.ts';
import { openTargetProbes, type TargetProbes } from '../probe/target-probes.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Endpoints } from '../stack/stack.ts';
import { unlessAborted } from '../supervision/time-limit.ts';
import type { System } from '../systems/system.ts';

/** What of a target is watched besides its servers. */
export interface WatchedTarget {
  readonly addresses: ProbeAddresses;
  /** The authorities for what is reached over TLS. */
  readonly ca: string | undefined;
}

interface ProbePlan {
  readonly scenario: Scenario;
  readonly system: System;
  readonly colocated: boolean;
  /** Null where the stack was started here. */
  readonly watched: WatchedTarget | null;
}

/** Rejects as what cannot be opened does, and with exit code 105 when stopped; none is left open then. */
export async function openProbes(
  { scenario, system, colocated, watched }: ProbePlan,
  endpoints: Endpoints,
  stop: AbortSignal,
) {
  const { database } = endpoints;
  const tables = scenario.traits.table === null ? [] : [scenario.traits.table];
  const ofSystem = endpoints.unknown === true ? [] : (system.probes?.(endpoints) ?? []).map(untilClosed);
  const neighbours =
    watched === null || !colocated
      ? null
      : await busyNeighbours(portsUnderTest(endpoints, watched.addresses));
  const host = openHostProbe(endpoints, neighbours);
  const all = [...ofSystem, untilClosed(host)];
  const close = async (): Promise<void> => {
    await Promise.all(all.map((probe) => probe.close()));
  };
  let ofTarget: TargetProbes | null = null;
  try {
    if (watched !== null) {
      const opening = openTargetProbes({ ...watched, database, tables, budgets: scenario.budgets });
      ofTarget = await unlessAborted(opening, stop).catch((thrown) => {
        if (!stop.aborted) throw thrown;
        // Nobody waits for who takes seconds to say nothing.
        void opening
          .then(({ probes }) => Promise.all(probes.map((probe) => probe.close())))
          .catch(() => undefined);
        throw interrupted('stopped before the players connected');
      });
      all.push(...ofTarget.probes.map(untilClosed));
    } else if (database !== null) all.push(untilClosed(await openPostgresProbe(database, tables)));
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { all, ofSystem, ofTarget, host, close };
}

/** All that is watched meanwhile; none is asked any more once they are closed. */
export type RunProbes = Awaited<ReturnType<typeof openProbes>>;
