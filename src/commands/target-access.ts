import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Access } from '../address/access.ts';
import { badInput, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';

/** How targets are reached, as given. */
export interface AccessFlags {
  readonly caFile?: string;
  readonly header: readonly string[];
  readonly headerEnv: readonly string[];
}

const LARGEST_CA_BYTES = 2 ** 20;
const MOST_HEADERS = 32;
const LONGEST_NAME = 100;
/** Servers take 16 KiB of headers in all, Node's among them, and some 8: with those of the protocol beside them. */
const MOST_HEADER_BYTES = 6 * 2 ** 10;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What a header may hold: visible ASCII, spaces and tabs. A line break would begin another header. */
const VALUE = /^[\t\x20-\x7e]*$/;
/** The wire's own: another value would break the connection, or the request. */
const OURS =
  /^(?:host|connection|upgrade|content-length|content-type|transfer-encoding|te|trailer|expect|keep-alive|proxy-connection|sec-websocket-(?!protocol$).*)$/i;
/** Whose values are no secrets, and would ruin a report if they were taken out of it. */
const PLAIN = /^(?:origin|referer|user-agent|accept|accept-language|sec-websocket-protocol)$/i;

/**
 * The authorities and the headers of a run's targets; bad input (104) where they cannot be sent or read. The values of
 * the headers are secrets from here on, and no message repeats them.
 */
export async function readAccess(
  host: Host,
  flags: AccessFlags,
  { hasTargets, hasTls }: { readonly hasTargets: boolean; readonly hasTls: boolean },
): Promise<Omit<Access, 'address'>> {
  const headers = headersOf(host, flags);
  const given = flags.caFile === undefined ? (host.env.CAPBENCH_CA_FILE ?? '') : flags.caFile;
  if (!hasTargets && (headers !== null || flags.caFile !== undefined)) {
    throw badInput(
      `${flags.caFile !== undefined ? '--ca-file' : flags.header.length > 0 ? '--header' : '--header-env'} is given without --target`,
      'capbench starts servers of its own without TLS and tokens: name what runs already with --target',
    );
  }
  if (flags.caFile !== undefined && !hasTls) {
    throw badInput(
      '--ca-file is given, but no target uses TLS',
      'name the target with https:// or wss://, or leave --ca-file out',
    );
  }
  const ca = given === '' || !hasTls ? null : await readAuthorities(host, given, flags.caFile === undefined);
  return { ...(ca === null ? {} : { ca }), ...(headers === null ? {} : { headers }) };
}

function headersOf(host: Host, flags: AccessFlags): Readonly<Record<string, string>> | null {
  const pairs = [
    ...flags.header.map((text) => written(text, host)),
    ...flags.headerEnv.map((text) => fromVariable(text, host)),
  ];
  if (pairs.length === 0) return null;
  if (pairs.length > MOST_HEADERS) {
    throw badInput(`got ${pairs.length} headers, expected ${MOST_HEADERS} at most`);
  }
  const bytes = pairs.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  if (bytes > MOST_HEADER_BYTES) {
    throw badInput(
      `the headers have ${bytes} bytes together, expected ${MOST_HEADER_BYTES} at most`,
      'servers refuse a request with more',
    );
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of pairs) {
    if (Object.keys(headers).some((other) => other.toLowerCase() === name.toLowerCase())) {
      throw badInput(`the header ${name} is given twice, expected once`);
    }
    headers[name] = value;
  }
  return headers;
}

/** `--header 'Name: value'`. */
function written(text: string, host: Host): readonly [name: string, value: string] {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon));
  const value = text.slice(colon + 1).trim();
  if (!PLAIN.test(name)) hide(host, value, `the header ${TOKEN.test(name) ? name : ''}`.trim());
  if (colon < 0) {
    throw badInput(
      '--header: got no colon, expected a name and a value (not repeated: it may hold a secret)',
      "--header 'X-Realm: test'",
    );
  }
  check('--header', name, value);
  return [name, value];
}

/** `--header-env Name=VARIABLE`. */
function fromVariable(text: string, host: Host): readonly [name: string, value: string] {
  const [, name = '', variable = ''] = /^([^=]*)=([A-Za-z_][A-Za-z0-9_]*)$/.exec(text) ?? [];
  if (variable === '') {
    throw badInput(
      '--header-env: expected a header and the name of a variable (what is given is not repeated: it may hold a secret)',
      '--header-env Cookie=GAME_COOKIE sends what the variable GAME_COOKIE holds',
    );
  }
  const value = (host.env[variable] ?? '').trim();
  if (value === '') {
    throw badInput(`--header-env: the variable ${variable} is not set, or empty`, `export ${variable}=...`);
  }
  hide(host, value, `from the variable ${variable}`);
  check('--header-env', name, value);
  return [name, value];
}

function check(flag: string, name: string, value: string): void {
  const wrong = (what: string): Error => badInput(`${flag}: ${what}`);
  if (!TOKEN.test(name) || name.length > LONGEST_NAME) {
    throw badInput(
      `${flag}: the name of the header is none, expected letters, digits and "-", ${LONGEST_NAME} at most`,
      'a name, a colon and a value for --header; a name, "=" and the name of a variable for --header-env',
    );
  }
  if (OURS.test(name)) throw wrong(`${name} belongs to the connection itself, and cannot be set`);
  if (value === '') throw wrong(`${name} has no value`);
  if (!VALUE.test(value)) {
    throw wrong(
      `the value of ${name} holds ${/[\r\n]/.test(value) ? 'a line break' : 'a character'} that no header may hold (it is not repeated)`,
    );
  }
}

/** The whole value, and of `Bearer xyz` or `session=xyz; other=..` what a server may repeat alone. */
function hide({ redaction }: Host, value: string, origin: string): void {
  redaction.add(value, origin);
  for (const part of value.split(/[\s;,]+/)) {
    redaction.add(part, origin);
    redaction.add(part.slice(part.indexOf('=') + 1), origin);
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** The certificates in a PEM file, and nothing else that may stand in it. */
async function readAuthorities(host: Host, file: string, fromVariable: boolean): Promise<string> {
  const source = fromVariable ? 'CAPBENCH_CA_FILE' : '--ca-file';
  const path = resolve(host.cwd, file);
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > LARGEST_CA_BYTES)
      throw new Error(`it has ${size} bytes, at most ${LARGEST_CA_BYTES} are read`);
    text = await readFile(path, 'latin1');
  } catch (error) {
    throw badInput(`${source}: ${file} cannot be read: ${messageOf(error)}`);
  }
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    throw badInput(
      `${source}: ${file} holds no certificate, expected those of authorities as PEM`,
      'a block from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----; DER: openssl x509 -inform der -in .. -out ..',
    );
  }
  for (const [index, one] of found.entries()) {
    try {
      new X509Certificate(one);
    } catch (error) {
      throw badInput(`${source}: certificate ${index + 1} of ${file} cannot be read: ${messageOf(error)}`);
    }
  }
  return found.join('\n');
}
