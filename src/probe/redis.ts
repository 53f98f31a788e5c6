import { isIP } from 'node:net';
import type { Redis } from 'ioredis';
import { tlsProblemOf } from '../address/certificate.ts';
import type { RedisAddress } from '../address/probe-address.ts';
import { isLoginUnneeded, logIn } from '../address/redis-login.ts';
import { codeOf, messageOf, stackFailed } from '../errors.ts';
import { excerptOf } from './excerpt.ts';
import type { Absence, PartialProbe, Probe, Sample } from './probe.ts';

const TIMEOUT_MS = 900;
const CONNECT_MS = 5_000;

/** A series, the fields of INFO that it sums, and the path in report.json that needs it. */
interface Series {
  readonly kind: Sample['kind'];
  /** The path of its figure. */
  readonly of: string;
  readonly fields: readonly string[];
}
const SERIES: Readonly<Record<string, Series>> = {
  operations: { kind: 'counter', of: 'redis.operationsPerSecond', fields: ['total_commands_processed'] },
  reads: { kind: 'counter', of: 'redis.commandsPerRead', fields: ['total_reads_processed'] },
  usedMemoryBytes: { kind: 'gauge', of: 'redis.usedMemoryBytes', fields: ['used_memory'] },
  memoryBytes: { kind: 'gauge', of: 'redis.memoryBytes', fields: ['used_memory_rss'] },
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

/** The numeric fields of an answer to INFO. */
function parseInfo(text: string): ReadonlyMap<string, number> {
  const fields = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\w+):(-?\d+(?:\.\d+)?)\r?$/.exec(line) ?? [];
    if (name !== '') fields.set(name, Number(value));
  }
  return fields;
}

/** Of them more would make long series of what is hardly called. */
const MOST_COMMANDS = 50;
const COMMAND = /^cmdstat_([\w|.-]{1,60}):calls=(\d+),usec=(\d+),/gm;
const KEYS = /^db(\d+):keys=(\d+),/gm;

/**
 * The commands but for capbench's own, and the keys of a database (null: of all); neither where INFO has no such section.
 * INFO lists no empty database.
 */
function samplesOfSections(text: string, database: number | null): readonly Sample[] {
  const commands = [...text.matchAll(COMMAND)]
    .map(([, name = '', calls, micros]) => ({ name, calls: Number(calls), micros: Number(micros) }))
    .filter(({ name }) => name.toLowerCase() !== 'info')
    .sort((a, b) => b.calls - a.calls)
    .slice(0, MOST_COMMANDS);
  const keys = [...text.matchAll(KEYS)]
    .filter(([, number]) => database === null || Number(number) === database)
    .reduce((sum, [, , count]) => sum + Number(count), 0);
  return [
    ...(/^# Keyspace/m.test(text) ? [{ series: 'redis.keys', kind: 'gauge' as const, value: keys }] : []),
    ...commands.flatMap(({ name, calls, micros }): readonly Sample[] => [
      { series: `redis.command.${name}.calls`, kind: 'counter', value: calls },
      { series: `redis.command.${name}.micros`, kind: 'counter', value: micros },
    ]),
  ];
}

/** Commands that were called before: a Redis that has been started again does not list them until they are. */
function uncalled(text: string, found: ReadonlySet<string>): readonly Sample[] {
  if (!/^# Commandstats/im.test(text)) return [];
  const called = new Set([...text.matchAll(COMMAND)].map(([, name = '']) => name));
  return [...found].flatMap((series): readonly Sample[] => {
    const [, name] = /^redis\.command\.(.+)\.(?:calls|micros)$/.exec(series) ?? [];
    return name === undefined || called.has(name) ? [] : [{ series, kind: 'counter', value: 0 }];
  });
}

function samplesOfInfo(fields: ReadonlyMap<string, number>): Sample[] {
  return Object.entries(SERIES).flatMap(([name, { kind, fields: parts }]) => {
    const values = parts.map((part) => fields.get(part) ?? Number.NaN);
    const value = values.reduce((sum, one) => sum + one, 0);
    return Number.isNaN(value) ? [] : [{ series: `redis.${name}`, kind, value }];
  });
}

/**
 * Probes a Redis with INFO once a second, and nothing else. Its keys are those of the database that its address names, or of
 * all; every other figure is of the whole server. A lost connection is reopened at the next
 * reading, and each miss is a gap. Rejects with exit code 93 when it cannot be reached at all.
 */
export async function openRedisProbe(at: RedisAddress, ca?: string): Promise<Probe & PartialProbe> {
  const { Redis } = await import('ioredis');
  let client: Redis | null = null;
  let isOpen = false;
  let failed: Error | null = null;
  let firstBytes: Uint8Array | null = null;
  const found = new Set<string>();
  let sections: readonly ['all'] | readonly [] = ['all'];

  const connected = async (): Promise<Redis> => {
    if (isOpen && client?.status === 'ready') return client;
    client?.disconnect();
    isOpen = false;
    failed = null;
    firstBytes = null;
    const fresh = new Redis({
      host: at.address,
      port: at.port,
      ...(at.tls
        ? {
            tls: {
              ...(isIP(at.host) === 0 ? { servername: at.host } : {}),
              ...(ca === undefined ? {} : { ca }),
            },
          }
        : {}),
      // Every Redis and its forks support RESP2.
      protocol: 2,
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      commandTimeout: TIMEOUT_MS,
      // The next reading reconnects.
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      // Only INFO is sent, since the account may be allowed nothing else.
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    client = fresh;
    fresh.on('error', (error: Error) => {
      failed ??= error;
    });
    // Kept for the error message: the client does not report the bytes of a server that is not Redis.
    fresh.once('connect', () => {
      fresh.stream.once('data', (chunk: Uint8Array) => {
        firstBytes = chunk;
      });
    });
    try {
      await fresh.connect();
      // A password that Redis does not need is no reason to read nothing.
      await logIn(fresh, at).catch((error: unknown) => {
        if (!isLoginUnneeded(messageOf(error))) throw error;
      });
    } catch (error) {
      // The client only reports that it is closed; the error before has the reason.
      throw failed ?? error;
    }
    isOpen = true;
    return fresh;
  };

  const ask = async (): Promise<readonly Sample[]> => {
    const open = await connected();
    // The commands are not in the default sections. A server that refuses a section may take none.
    const text: unknown = await open.info(...sections).catch((error: unknown) => {
      if (sections.length === 0 || !/^ERR /.test(messageOf(error))) throw error;
      sections = [];
      return open.info();
    });
    if (typeof text !== 'string') throw new Error('its answer to INFO is not text');
    const samples = samplesOfInfo(parseInfo(text));
    if (samples.length === 0) throw new Error('its answer to INFO has no figures of Redis');
    samples.push(...samplesOfSections(text, at.database), ...uncalled(text, found));
    for (const { series } of samples) found.add(series);
    return samples;
  };

  await ask().catch((error) => {
    client?.disconnect();
    throw unreachable(at, error, firstBytes);
  });
  return {
    name: 'redis',
    sample: ask,
    absences: () =>
      [...Object.entries(SERIES), ['keys', { fields: ['keyspace'], of: 'redis.keys' }] as const].flatMap(
        ([name, { fields, of }]): readonly Absence[] =>
          found.has(`redis.${name}`)
            ? []
            : [{ of, because: `INFO of the Redis at ${at.shown} has no ${fields.join(' and ')}` }],
      ),
    async close() {
      client?.disconnect();
    },
  };
}

const NAME_IT =
  "use the address of the target's own Redis in --probe-redis: redis://HOST:6379, or rediss:// if it requires TLS; another server may listen at that port";
/** ioredis' messages for connections without an answer. */
const NO_ANSWER: Readonly<Record<string, string>> = {
  'Command timed out': 'does not answer: it is not Redis, or is stopped',
  'connect ETIMEDOUT': 'does not answer: it is not Redis, or is stopped',
  'Connection is closed.':
    'closes the connection without an answer: it is not Redis, requires TLS, or does not accept connections from this host',
};
const NO_REDIS = /Please report this|is not text/;

function unreachable({ shown }: RedisAddress, error: unknown, firstBytes: Uint8Array | null): Error {
  const failed = (what: string, hint: string): Error => stackFailed(what, hint, error);
  const tls = tlsProblemOf(error);
  if (tls !== null) return failed(`the Redis at ${shown}: ${tls.what}`, tls.hint);
  if (codeOf(error) === 'ECONNREFUSED') {
    return failed(`connection refused at ${shown} (--probe-redis)`, 'start it there, or correct the URL');
  }
  const message = messageOf(error);
  const problem =
    NO_REDIS.test(message) && firstBytes !== null
      ? `is not Redis: it sent ${excerptOf(firstBytes)}`
      : NO_ANSWER[message];
  if (problem !== undefined) return failed(`the server at ${shown} ${problem}`, NAME_IT);
  return failed(
    `the Redis at ${shown} cannot be read: ${message}`,
    'it has to answer INFO: check the user and the password in the URL, and whether it requires TLS (rediss://)',
  );
}
