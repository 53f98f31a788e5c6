import { isIP } from 'node:net';
import type { Redis } from 'ioredis';
import { tlsProblemOf } from '../address/certificate.ts';
import type { RedisAddress } from '../address/probe-address.ts';
import { codeOf, messageOf, stackFailed } from '../errors.ts';
import { excerptOf } from './excerpt.ts';
import type { Absence, PartialProbe, Probe, Sample } from './probe.ts';

const TIMEOUT_MS = 900;
const CONNECT_MS = 5_000;

/** Series -> the fields of INFO that add up to it, and the paths of the report that need it. */
interface Series {
  readonly kind: Sample['kind'];
  /** The figure that is made of it. */
  readonly of: string;
  readonly fields: readonly string[];
}
const SERIES: Readonly<Record<string, Series>> = {
  operations: { kind: 'counter', of: 'redis.operationsPerSecond', fields: ['total_commands_processed'] },
  usedMemoryBytes: { kind: 'gauge', of: 'redis.usedMemoryBytes', fields: ['used_memory'] },
  connections: { kind: 'gauge', of: 'redis.connections', fields: ['connected_clients'] },
  cpuSeconds: { kind: 'counter', of: 'redis.cpuPercentOfCore', fields: ['used_cpu_user', 'used_cpu_sys'] },
  evictedKeys: { kind: 'counter', of: 'redis.evictedKeys', fields: ['evicted_keys'] },
  expiredKeys: { kind: 'counter', of: 'redis.expiredKeys', fields: ['expired_keys'] },
  keyspaceHits: { kind: 'counter', of: 'redis.hitRatioPercent', fields: ['keyspace_hits'] },
  keyspaceMisses: { kind: 'counter', of: 'redis.hitRatioPercent', fields: ['keyspace_misses'] },
  rejectedConnections: { kind: 'counter', of: 'redis.rejectedConnections', fields: ['rejected_connections'] },
  errorReplies: { kind: 'counter', of: 'redis.errorReplies', fields: ['total_error_replies'] },
  networkBytes: {
    kind: 'counter',
    of: 'redis.networkBytesPerSecond',
    fields: ['total_net_input_bytes', 'total_net_output_bytes'],
  },
};

/** The figures of an answer to INFO; a field that is no number, or not there, is none. */
function parseInfo(text: string): ReadonlyMap<string, number> {
  const fields = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\w+):(-?\d+(?:\.\d+)?)\r?$/.exec(line) ?? [];
    if (name !== '') fields.set(name, Number(value));
  }
  return fields;
}

function samplesOfInfo(fields: ReadonlyMap<string, number>): readonly Sample[] {
  return Object.entries(SERIES).flatMap(([name, { kind, fields: parts }]) => {
    const values = parts.map((part) => fields.get(part) ?? Number.NaN);
    const value = values.reduce((sum, one) => sum + one, 0);
    return Number.isNaN(value) ? [] : [{ series: `redis.${name}`, kind, value }];
  });
}

/**
 * The Redis of a target: INFO once a second, and nothing else. A connection that is lost is opened again at the next
 * reading, and each miss is a gap. Rejects with exit code 93 when it cannot be reached at all.
 */
export async function openRedisProbe(at: RedisAddress, ca?: string): Promise<Probe & PartialProbe> {
  const { Redis } = await import('ioredis');
  let client: Redis | null = null;
  let failed: Error | null = null;
  let said: Uint8Array | null = null;
  const told = new Set<string>();

  const connected = async (): Promise<Redis> => {
    if (client?.status === 'ready') return client;
    client?.disconnect();
    failed = null;
    said = null;
    const fresh = new Redis({
      host: at.address,
      port: at.port,
      ...(at.username === null ? {} : { username: at.username }),
      ...(at.password === null ? {} : { password: at.password }),
      ...(at.tls
        ? {
            tls: {
              ...(isIP(at.host) === 0 ? { servername: at.host } : {}),
              ...(ca === undefined ? {} : { ca }),
            },
          }
        : {}),
      // What every Redis speaks, and its kin.
      protocol: 2,
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      commandTimeout: TIMEOUT_MS,
      // It is asked again next second, by us.
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      // INFO is all that is sent: an account may be allowed nothing else.
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    client = fresh;
    fresh.on('error', (error: Error) => {
      failed ??= error;
    });
    // It is over before anybody could tell what it was that answered.
    fresh.once('connect', () => {
      fresh.stream.once('data', (chunk: Uint8Array) => {
        said = chunk;
      });
    });
    try {
      await fresh.connect();
    } catch (error) {
      // The client says that it is closed; the error before that says why.
      throw failed ?? error;
    }
    return fresh;
  };

  const ask = async (): Promise<readonly Sample[]> => {
    const text: unknown = await (await connected()).info();
    if (typeof text !== 'string') throw new Error('its answer to INFO is no text');
    const samples = samplesOfInfo(parseInfo(text));
    if (samples.length === 0) throw new Error('its answer to INFO has no figure of a Redis');
    for (const { series } of samples) told.add(series);
    return samples;
  };

  await ask().catch((error) => {
    client?.disconnect();
    throw unreachable(at, error, said);
  });
  return {
    name: 'redis',
    sample: ask,
    absences: () =>
      Object.entries(SERIES).flatMap(([name, { fields, of }]): readonly Absence[] =>
        told.has(`redis.${name}`)
          ? []
          : [{ of, because: `INFO of the Redis at ${at.shown} does not tell ${fields.join(' and ')}` }],
      ),
    async close() {
      client?.disconnect();
    },
  };
}

const NAME_IT =
  'name the Redis of the target itself in --probe-redis: redis://HOST:6379, or rediss:// where it wants TLS; another server may listen at that port';
/** How ioredis tells that nothing came, or nothing that Redis would say. */
const STRANGE: Readonly<Record<string, string>> = {
  'Command timed out': 'says nothing: it is no Redis, or stands still',
  'connect ETIMEDOUT': 'says nothing: it is no Redis, or stands still',
  'Connection is closed.':
    'ends the connection without a word: it is no Redis, wants TLS, or lets nobody in from here',
};
const NO_REDIS = /Please report this|is no text/;

function unreachable({ shown }: RedisAddress, error: unknown, said: Uint8Array | null): Error {
  const failed = (what: string, hint: string): Error => stackFailed(what, hint, error);
  const tls = tlsProblemOf(error);
  if (tls !== null) return failed(`the Redis at ${shown}: ${tls.what}`, tls.hint);
  if (codeOf(error) === 'ECONNREFUSED') {
    return failed(`connection refused at ${shown} (--probe-redis)`, 'start it there, or correct the URL');
  }
  const message = messageOf(error);
  const strange =
    NO_REDIS.test(message) && said !== null ? `is no Redis: it said ${excerptOf(said)}` : STRANGE[message];
  if (strange !== undefined) return failed(`what listens at ${shown} ${strange}`, NAME_IT);
  return failed(
    `the Redis at ${shown} cannot be read: ${message}`,
    'it has to answer INFO: see the user and the password in the URL, and whether it wants TLS (rediss://)',
  );
}
