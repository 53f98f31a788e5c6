import { readFileSync } from 'node:fs';
import { availableParallelism, platform } from 'node:os';
import { generatorFailed, stackFailed } from '../errors.ts';
import type { OtherCpus } from '../stack/stack.ts';
import { readDescriptors } from '../supervision/descriptors.ts';
import type { Confine } from '../supervision/process.ts';

/** Limits of the operating system; null where unknown. */
export interface HostLimits {
  /** Open descriptors of one process. */
  readonly descriptors: number | null;
  /** Ephemeral ports, both ends included. */
  readonly ports: { readonly from: number; readonly to: number };
  /** 127.0.0.2 and following can be bound without configuration (Linux). */
  readonly loopbackAliases: boolean;
  /** CPUs this process may use. */
  readonly cpus: number;
}

/** A world server as a destination of connections. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  /** Its players, each of whom is a connection. */
  readonly players: number;
  /** It has this many groups of players, and each connects from an address of its own; absent: from any. */
  readonly groups?: number;
  /** Descriptor limit of the server's process; null when unknown. */
  readonly descriptors: number | null;
}

/** How connections are distributed over processes and source addresses. */
export interface ConnectionPlan {
  readonly workers: number;
  /** Additional source addresses; empty when the default one suffices. */
  readonly sources: readonly string[];
  /** By destination: the number of connections that are not bound; the others are bound to the sources in turn. */
  readonly unbound: readonly number[];
  /** Connections per source address, over all destinations. */
  readonly portsPerSource: number;
  /** Each group of players has the next of the sources, and the first again after the last. */
  readonly perGroup: boolean;
}

/** Descriptors of a process that are not players' sockets: files, pipes, listeners, a database pool. */
const SPARE_DESCRIPTORS = 128;
/** Share of the ephemeral ports that is left to other processes. */
const SPARE_PORTS = 0.05;
const MOST_SOURCES = 250;
/** Of the third and of the fourth octet. */
const MOST_GROUP_SOURCES = 250;

/**
 * Plans the connections, or fails before anything connects. `requested` is the user's number of workers,
 * null for the default: 2 on up to 4 CPUs, else half of them, and as many more as the descriptor limit needs.
 * @throws CapbenchError (93) with what is needed, what there is, and what to raise
 */
export function planConnections(
  destinations: readonly Destination[],
  requested: number | null,
  limits: HostLimits,
): ConnectionPlan {
  const players = destinations.reduce((sum, destination) => sum + destination.players, 0);
  const workers = planWorkers(players, requested, limits);
  destinations.forEach((destination, index) => {
    const { descriptors } = destination;
    const needed = destination.players + SPARE_DESCRIPTORS;
    if (descriptors !== null && needed > descriptors) {
      throw stackFailed(
        `world server ${index + 1} needs ${needed} open descriptors for its ${destination.players} players, but the limit of its process is ${descriptors}`,
        'Raise the limit (`ulimit -n`) before starting it, run more world servers, or lower --scale.',
      );
    }
  });
  const groups = destinations.reduce((sum, one) => sum + (one.groups ?? 0), 0);
  return {
    workers,
    ...(groups > 0 ? sourcePerGroup(groups, destinations, limits) : planSources(destinations, limits)),
  };
}

function planWorkers(players: number, requested: number | null, limits: HostLimits): number {
  const { descriptors, cpus } = limits;
  const preferred = requested ?? (cpus <= 4 ? 2 : Math.floor(cpus / 2));
  if (descriptors === null) return preferred;
  const room = descriptors - SPARE_DESCRIPTORS;
  const needed = room > 0 ? Math.max(1, Math.ceil(players / room)) : Number.POSITIVE_INFINITY;
  if (needed <= preferred) return preferred;
  if (requested === null && Number.isFinite(needed)) return needed;
  throw generatorFailed(
    `${preferred} load workers would hold ${Math.ceil(players / preferred)} connections each, but the limit of a process here is ${descriptors} open descriptors (${SPARE_DESCRIPTORS} of them are reserved)`,
    Number.isFinite(needed)
      ? `Use --workers ${needed} or more, or raise the limit (\`ulimit -n\`).`
      : `Raise the limit (\`ulimit -n\`) to at least ${SPARE_DESCRIPTORS * 8}.`,
  );
}

/**
 * A connection is identified by (source, source port, destination, destination port): unbound connections may use every
 * ephemeral port once per destination. A bound socket takes its port for all destinations at once, so an additional source
 * address adds one port range for all destinations.
 */
function planSources(
  destinations: readonly Destination[],
  { ports, loopbackAliases }: HostLimits,
): Omit<ConnectionPlan, 'workers'> {
  const range = ports.to - ports.from + 1;
  const available = Math.floor(range * (1 - SPARE_PORTS));
  const left = new Map<string, number>();
  let overflow = 0;
  let elsewhere: Destination | null = null;
  const unbound = destinations.map((destination) => {
    const key = `${destination.host}:${destination.port}`;
    const free = left.get(key) ?? available;
    const fits = Math.min(free, destination.players);
    left.set(key, free - fits);
    overflow += destination.players - fits;
    if (fits < destination.players && !isLoopbackIpv4(destination.host)) elsewhere ??= destination;
    return fits;
  });
  if (overflow === 0) return { sources: [], unbound, portsPerSource: available, perGroup: false };

  const players = destinations.reduce((sum, destination) => sum + destination.players, 0);
  const extra = Math.ceil(overflow / Math.max(1, available));
  if (available < 1 || extra > MOST_SOURCES || !loopbackAliases || elsewhere !== null) {
    throw generatorFailed(
      `${players} connections need ${overflow} more source ports than available: ${range} ephemeral ports (${ports.from}-${ports.to}) for each of ${left.size} destination${left.size === 1 ? '' : 's'}`,
      'Widen the range (Linux: sysctl net.ipv4.ip_local_port_range="15000 64999"; macOS: net.inet.ip.portrange.first), run more world servers on ports of their own, or lower --scale.',
    );
  }
  const sources = Array.from({ length: extra }, (_, index) => `127.0.0.${index + 2}`);
  return { sources, unbound, portsPerSource: available, perGroup: false };
}

/**
 * One loopback address for each group of players, at most 62,500: neighbours differ in the third octet, since nginx's
 * ip_hash takes only the first three.
 */
function sourcePerGroup(
  groups: number,
  destinations: readonly Destination[],
  { ports, loopbackAliases }: HostLimits,
): Omit<ConnectionPlan, 'workers'> {
  const remote = destinations.find(({ host }) => !isLoopbackIpv4(host));
  if (!loopbackAliases || remote !== undefined)
    throw generatorFailed(
      `each of the ${groups} groups of players needs a source address of its own (127.0.1.1, 127.0.2.1 ..), and ${remote === undefined ? 'this system has only 127.0.0.1' : `${remote.host} is not reached from loopback addresses`}`,
      'Use Linux, whose loopback interface has all of 127.0.0.0/8, or a scenario without edge.',
    );
  const sources = Array.from(
    { length: Math.min(groups, MOST_GROUP_SOURCES ** 2) },
    (_, i) => `127.0.${1 + (i % MOST_GROUP_SOURCES)}.${1 + Math.floor(i / MOST_GROUP_SOURCES)}`,
  );
  const range = ports.to - ports.from + 1;
  return {
    ...{ sources, unbound: destinations.map(() => 0), perGroup: true },
    portsPerSource: Math.floor(range * (1 - SPARE_PORTS)),
  };
}

const isLoopbackIpv4 = (host: string): boolean => /^127\.\d+\.\d+\.\d+$/.test(host);

/** IANA's range, where the system's own is unknown. */
const DEFAULT_PORTS = { from: 49152, to: 65535 } as const;

/** The two numbers of /proc/sys/net/ipv4/ip_local_port_range. */
export function portsIn(text: string): { from: number; to: number } | null {
  const match = /^\s*(\d+)\s+(\d+)\s*$/.exec(text);
  return match === null ? null : { from: Number(match[1]), to: Number(match[2]) };
}

/** Reads the limits of this host; outside Linux some are unknown. */
export function readHostLimits(): HostLimits {
  return {
    descriptors: readDescriptors('self'),
    ports: portsIn(read('/proc/sys/net/ipv4/ip_local_port_range')) ?? DEFAULT_PORTS,
    loopbackAliases: platform() === 'linux',
    cpus: availableParallelism(),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * What keeps load processes off the CPUs of limited components: only where there are enough others for each of them, and one for
 * capbench itself; else they would be slowed by each other. A box of the whole stack has its CPUs for itself wherever there is
 * another one: whether the load is late then is measured, what it would take of the box is not.
 */
export const besideLimits = (others: OtherCpus | undefined, workers: number): Confine | undefined =>
  others !== undefined && (others.besideBox || others.cpus.length > workers) ? others.confine : undefined;
