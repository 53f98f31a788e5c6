import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { badInput, messageOf } from '../errors.ts';
import { accepts } from './accepts.ts';
import type { Access } from './access.ts';
import type { ProcessAddress } from './process-address.ts';
import { hostOf, locate, repeatable, type Surroundings } from './target-address.ts';

/** A target's PostgreSQL, which is only read. */
export interface PostgresAddress {
  /** For `pg`, which reads the TLS parameters in it; it may hold a password. */
  readonly connectionString: string;
  /** The address of the host name in it; null for a UNIX socket. */
  readonly address: string | null;
  /** For messages, without secrets: `db.example:5432`, or the folder of a socket. */
  readonly shown: string;
  readonly onThisHost: boolean;
}

export interface RedisAddress {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly username: string | null;
  readonly password: string | null;
  /** The number of the database that the URL names; null: none. */
  readonly database: number | null;
  /** `rediss://` */
  readonly tls: boolean;
  readonly shown: string;
  readonly onThisHost: boolean;
}

/** The address in a URL that is known to be good: of a Redis of the stack, `redis://:PASSWORD@127.0.0.1:6379/0`. */
export function redisAddressOf(text: string): RedisAddress {
  const { username, password, hostname, port, pathname } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    ...{ host, address: host, port: Number(port) || KINDS.redis.port },
    username: username === '' ? null : decoded(username),
    password: password === '' ? null : decoded(password),
    ...{ database: databaseOf(pathname), tls: false, shown: `${hostname}:${port}`, onThisHost: true },
  };
}

/** `/1` is database 1. */
const databaseOf = (path: string): number | null => (/^\/\d{1,5}$/.test(path) ? Number(path.slice(1)) : null);

export interface MetricsAddress {
  /** Without user and password, which are sent as a header. */
  readonly url: string;
  readonly access: Access;
  readonly shown: string;
}

/** What is probed of a target besides its world servers. */
export interface ProbeAddresses {
  readonly postgres: PostgresAddress | null;
  readonly redis: RedisAddress | null;
  readonly metrics: readonly MetricsAddress[];
  /** Processes of the target on this host. */
  readonly processes: readonly ProcessAddress[];
  /** The addresses that are not loopback, for messages. */
  readonly foreign: readonly string[];
}

type Kind = 'postgres' | 'redis' | 'metrics';

/** A parsed address, not resolved yet. */
export interface ProbeUrl {
  readonly kind: Kind;
  readonly url: URL;
  /** As in a URL, without brackets; null for the folder of a UNIX socket. */
  readonly host: string | null;
}

interface KindSpec {
  readonly schemes: RegExp;
  readonly port: number;
  readonly subject: string;
  readonly example: string;
  /** The accepted query parameters; null: any. */
  readonly known: readonly string[] | null;
}
const KINDS: Readonly<Record<Kind, KindSpec>> = {
  postgres: {
    schemes: /^postgres(?:ql)?:$/,
    port: 5432,
    subject: 'the PostgreSQL at',
    example:
      'such as postgresql://127.0.0.1:5432/world, with user and password before an @, or in PGUSER and PGPASSWORD',
    known: 'host port sslmode sslrootcert sslcert sslkey sslnegotiation uselibpqcompat'.split(' '),
  },
  redis: {
    schemes: /^rediss?:$/,
    port: 6379,
    subject: 'the Redis at',
    example: 'such as redis://127.0.0.1:6379, or rediss:// for TLS',
    known: [],
  },
  metrics: {
    schemes: /^https?:$/,
    port: 80,
    subject: 'the metrics page at',
    example: 'such as http://127.0.0.1:9100/metrics',
    known: null,
  },
};
const NO_HOST = 'none.invalid';
const FILES = ['sslrootcert', 'sslcert', 'sslkey'];

/**
 * Parses an address. `source`: the flag or the variable that holds it. Throws bad input (104) with a message that
 * repeats no secret.
 */
export function parseProbeUrl(kind: Kind, text: string, source: string): ProbeUrl {
  const { schemes, example, known } = KINDS[kind];
  let given: URL;
  try {
    // For a UNIX socket libpq leaves the host empty, which URL refuses: user@/world?host=/run/postgresql
    given = new URL(kind === 'postgres' ? text.replace(/@\/(?=[^@]*$)/, `@${NO_HOST}/`) : text);
  } catch {
    throw badInput(`${source}: ${repeatable(text)} is not a URL`, example);
  }
  if (!schemes.test(given.protocol))
    throw badInput(`${source}: ${repeatable(text)} has another scheme`, example);
  const unknown =
    known === null ? undefined : [...given.searchParams.keys()].find((key) => !known.includes(key));
  // Only a plain name is repeated: a password may stand where a parameter should.
  if (unknown !== undefined) {
    throw badInput(
      `${source}: unknown parameter${/^\w{1,40}$/.test(unknown) ? ` ${unknown}` : ''}`,
      known?.length === 0 ? example : `${example}; parameters: ${known?.join(', ')}`,
    );
  }
  if (given.hash !== '') throw badInput(`${source}: the URL has a fragment (#..), expected none`, example);
  if (kind === 'postgres') {
    const folder = socketFolder(given, source, example);
    for (const name of FILES) readable(given.searchParams.get(name), name, source);
    if (folder !== null) return { kind, url: given, host: null };
  }
  return { kind, url: given, host: hostNamed(given, source, example) };
}

/** The folder of a UNIX socket, from `?host=/folder` or from a host that begins with `%2F`. */
function socketFolder(url: URL, source: string, example: string): string | null {
  const named = url.searchParams.get('host') ?? (/^%2f/i.test(url.hostname) ? decoded(url.hostname) : null);
  if (named === null) return null;
  if (!named.startsWith('/')) {
    throw badInput(`${source}: the parameter host is no folder of a UNIX socket`, example);
  }
  return named;
}

/** The host in its canonical form: a name in lower case, an address in its usual notation. */
function hostNamed(url: URL, source: string, example: string): string {
  try {
    const host = decoded(url.hostname);
    if (host !== NO_HOST && /^(?:[\w.-]+|\[[\da-f:.]+\])$/i.test(host))
      return hostOf(new URL(`http://${host}`));
  } catch {
    // Falls through to the error below.
  }
  throw badInput(`${source}: the URL has no host`, example);
}

function readable(file: string | null, name: string, source: string): void {
  if (file === null) return;
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw badInput(
      `${source}: the file of ${name} cannot be read: ${messageOf(error)}`,
      'correct its path in the URL, or make it readable for this user',
    );
  }
}

/** The targets' headers are sent to metrics pages of the targets' origins only. */
interface TargetAccess {
  readonly origins: ReadonlySet<string>;
  readonly access: Omit<Access, 'address'>;
}

/** Applies the same checks as to targets, and resolves each name once. */
export async function resolveProbes(
  urls: readonly ProbeUrl[],
  owned: readonly string[],
  around: Surroundings,
  target: TargetAccess,
): Promise<Omit<ProbeAddresses, 'processes'>> {
  let postgres: PostgresAddress | null = null;
  let redis: RedisAddress | null = null;
  const metrics: MetricsAddress[] = [];
  const foreign: string[] = [];
  for (const { kind, url, host } of urls) {
    if (host === null) {
      postgres = socketAddress(url);
      continue;
    }
    const { subject, example, port: usual } = KINDS[kind];
    const port =
      Number(url.searchParams.get('port') || url.port) || (url.protocol === 'https:' ? 443 : usual);
    const shown = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
    const located = await locate({ subject, host, shown, example }, owned, around);
    if (located.foreign) foreign.push(shown);
    const address = await firstListening(located.addresses, port);
    const at = { address, shown, onThisHost: located.onThisHost };
    if (kind === 'postgres') postgres = { ...at, connectionString: connectionString(url, shown, {}) };
    if (kind === 'redis') {
      const [username = null, password = null] = [url.username, url.password].map((part) =>
        part === '' ? null : decoded(part),
      );
      const database = databaseOf(url.pathname);
      redis = { ...at, host, port, username, password, database, tls: url.protocol === 'rediss:' };
    }
    if (kind === 'metrics') metrics.push(metricsAddress(url, host, address, target));
  }
  return { postgres, redis, metrics, foreign };
}

const CONNECT_MS = 2_000;

/** A name may have several addresses (`localhost`: IPv6 and IPv4). The first that accepts connections, else the first. */
async function firstListening(addresses: readonly string[], port: number): Promise<string> {
  const [first = ''] = addresses;
  if (addresses.length < 2) return first;
  for (const address of addresses) {
    if (await accepts(address, port, CONNECT_MS)) return address;
  }
  return first;
}

/** Decodes a part of a URL; unchanged where it is badly encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const part = (text: string): string => encodeURIComponent(decoded(text));

/** Builds the connection string from checked parts only. */
function connectionString(url: URL, host: string, query: Readonly<Record<string, string>>): string {
  const user = url.username === '' ? '' : part(url.username);
  const password = url.password === '' ? '' : `:${part(url.password)}`;
  const parameters = new URLSearchParams(query);
  for (const [key, value] of url.searchParams)
    if (key.startsWith('ssl') || key.startsWith('use')) parameters.set(key, value);
  const database = url.pathname.replace(/^\//, '');
  return `postgresql://${user === '' && password === '' ? '' : `${user}${password}@`}${host}/${part(database)}?${parameters}`;
}

function socketAddress(url: URL): PostgresAddress {
  const folder = url.searchParams.get('host') ?? decoded(url.hostname);
  const port = url.searchParams.get('port') || url.port || '5432';
  return {
    connectionString: connectionString(url, '', { host: folder, port }),
    address: null,
    shown: `${folder}, port ${port}`,
    onThisHost: true,
  };
}

function metricsAddress(url: URL, host: string, address: string, target: TargetAccess): MetricsAddress {
  const { ca, headers } = target.access;
  const basic =
    url.username === '' && url.password === '' ? null : `${decoded(url.username)}:${decoded(url.password)}`;
  const sent = {
    ...(target.origins.has(url.origin) ? headers : {}),
    ...(basic === null ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
  };
  return {
    url: `${url.origin}${url.pathname}${url.search}`,
    access: {
      ...(isIP(host) === 0 ? { address } : {}),
      ...(ca === undefined ? {} : { ca }),
      headers: sent,
    },
    shown: `${url.origin}${url.pathname}`,
  };
}
