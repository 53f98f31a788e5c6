import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Access } from '../address/access.ts';
import { badInput, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';

/** The options for connections to targets, as given. */
export interface AccessFlags {
  readonly caFile?: string;
  readonly header: readonly string[];
  readonly headerEnv: readonly string[];
}

const LARGEST_CA_BYTES = 2 ** 20;
const MOST_HEADERS = 32;
const LONGEST_NAME = 100;
/** Some servers take only 8 KiB of headers in all, those of the protocol included. Node takes 16. */
const MOST_HEADER_BYTES = 6 * 2 ** 10;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, spaces and tabs: a line break would begin another header. */
const VALUE = /^[\t\x20-\x7e]*$/;
/** Headers of the protocol: another value would break the connection or the request. */
const OURS =
  /^(?:host|connection|upgrade|content-length|content-type|transfer-encoding|te|trailer|expect|keep-alive|proxy-connection|sec-websocket-(?!protocol$).*)$/i;
/** Their values are no secrets; a report without these words would be unreadable. */
const PLAIN = /^(?:origin|referer|user-agent|accept|accept-language|sec-websocket-protocol)$/i;

/**
 * The CA certificates and headers for the targets; bad input (104) where they cannot be read or sent. Header values are
 * secrets, and no message repeats them.
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
      'servers that capbench starts use neither TLS nor tokens: name a server that runs already with --target',
    );
  }
  if (flags.caFile !== undefined && !hasTls) {
    throw badInput(
      '--ca-file is given, but no target uses TLS',
      'name the target with https:// or wss://, or remove --ca-file',
    );
  }
  const source = flags.caFile === undefined ? 'CAPBENCH_CA_FILE' : '--ca-file';
  const ca = given === '' || !hasTls ? null : await readCertificates(host, given, source);
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
      `the headers have ${bytes} bytes together, expected at most ${MOST_HEADER_BYTES}`,
      'servers refuse larger requests',
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
      '--header-env: expected a header and the name of a variable (not repeated here: it may be a secret)',
      '--header-env Cookie=GAME_COOKIE sends the value of the variable GAME_COOKIE',
    );
  }
  const value = (host.env[variable] ?? '').trim();
  if (value === '') {
    throw badInput(`--header-env: the variable ${variable} is empty or not set`, `export ${variable}=...`);
  }
  hide(host, value, `from the variable ${variable}`);
  check('--header-env', name, value);
  return [name, value];
}

function check(flag: string, name: string, value: string): void {
  const wrong = (what: string): Error => badInput(`${flag}: ${what}`);
  if (!TOKEN.test(name) || name.length > LONGEST_NAME) {
    throw badInput(
      `${flag}: the name of the header is not valid, expected at most ${LONGEST_NAME} letters, digits and "-"`,
      'a name, a colon and a value for --header; a name, "=" and the name of a variable for --header-env',
    );
  }
  if (OURS.test(name)) throw wrong(`${name} belongs to the protocol and cannot be set`);
  if (value === '') throw wrong(`${name} has no value`);
  if (!VALUE.test(value)) {
    throw wrong(
      `the value of ${name} holds ${/[\r\n]/.test(value) ? 'a line break' : 'a character'} that a header must not have (not repeated here: it may be a secret)`,
    );
  }
}

/** The whole value, and the parts of `Bearer xyz` or `session=xyz; other=..` that a server may repeat by themselves. */
function hide({ redaction }: Host, value: string, origin: string): void {
  redaction.add(value, origin);
  for (const part of value.split(/[\s;,]+/)) {
    redaction.add(part, origin);
    redaction.add(part.slice(part.indexOf('=') + 1), origin);
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Only the certificates of a PEM file, which may hold a private key, too. `source`: the option that names it.
 * @throws CapbenchError (104) where there are none
 */
export async function readCertificates(
  host: Pick<Host, 'cwd'>,
  file: string,
  source: string,
): Promise<string> {
  const path = resolve(host.cwd, file);
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > LARGEST_CA_BYTES)
      throw new Error(`it has ${size} bytes, expected at most ${LARGEST_CA_BYTES}`);
    text = await readFile(path, 'latin1');
  } catch (error) {
    throw badInput(`${source}: ${file} cannot be read: ${messageOf(error)}`);
  }
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    throw badInput(
      `${source}: ${file} holds no certificate, expected CA certificates as PEM`,
      'a block from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----; from DER: openssl x509 -inform der -in .. -out ..',
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
