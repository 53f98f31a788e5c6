import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, stackFailed } from '../errors.ts';
import type { EdgeSettings } from '../scenario/edge.ts';
import type { ProcessUser } from '../supervision/process.ts';
import { findProgram, outputOf } from '../supervision/program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const ANSWER_MS = 5_000;
/** A long key takes a slow machine seconds. */
const KEY_MS = 60_000;

/** The openssl of this host, on PATH; null where there is none. Rejects with exit code 93 where it does not run. */
export async function lookForOpenssl(env: Environment): Promise<{ path: string; version: string } | null> {
  const path = await findProgram('openssl', env);
  if (path === null) return null;
  try {
    const { stdout } = await outputOf(path, ['version'], env, ANSWER_MS);
    return { path, version: /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? 'of an unknown version' };
  } catch (error) {
    throw stackFailed(
      `openssl at ${path} does not run: ${messageOf(error)}`,
      'install the package openssl again',
      error,
    );
  }
}

/** A certificate of the edge's own: what clients trust (PEM), and the file that the proxy reads. */
interface EdgeCertificate {
  readonly ca: string;
  readonly file: string;
}

/**
 * Makes a self-signed certificate for this address in the edge's folder; null where the scenario asks for none. Rejects with exit
 * code 93 where openssl is missing or fails.
 */
export async function makeCertificate(
  { tls }: EdgeSettings,
  host: string,
  folder: string,
  env: Environment,
  user: ProcessUser | null,
): Promise<EdgeCertificate | null> {
  if (tls === undefined) return null;
  const openssl = await findProgram('openssl', env);
  if (openssl === null)
    throw stackFailed(
      'openssl is not installed, and the scenario lets clients connect over TLS (edge.tls)',
      'install the package openssl, or run without TLS: remove edge.tls',
    );
  const [key, certificate, both] = [
    join(folder, 'edge.key'),
    join(folder, 'edge.crt'),
    join(folder, 'edge.pem'),
  ];
  const args = [
    ...['req', '-x509', '-newkey', `rsa:${tls.keyBits}`, '-nodes', '-days', '2'],
    ...['-subj', `/CN=${host}`, '-addext', `subjectAltName=IP:${host}`],
    ...['-keyout', key, '-out', certificate],
  ];
  try {
    await outputOf(openssl, args, env, KEY_MS);
    const [ca, secret] = await Promise.all([readFile(certificate, 'utf8'), readFile(key, 'utf8')]);
    await writeFile(both, ca + secret, { mode: 0o600 });
    await rm(key);
    if (user !== null) await chown(both, user.uid, user.gid);
    return { ca, file: both };
  } catch (error) {
    throw stackFailed(
      `openssl at ${openssl} made no certificate for the edge proxy: ${messageOf(error)}`,
      'see what it says, or run without TLS: remove edge.tls',
      error,
    );
  }
}
