import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { causeOfError } from '../address/connection-cause.ts';
import { badInput, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { makeFolders, readBounded, unwritable, writeArtefact } from '../measurement/bundle.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { plain } from '../report/plain-text.ts';
import { prometheusText } from '../report/prometheus-text.ts';
import { writeRequests } from '../report/remote-write.ts';
import type { Report } from '../report/report.ts';
import { timeoutSignal } from '../supervision/time-limit.ts';

/** What `--out` names: the folder for bundles, and where else the series of a run go. */
export interface RunOut {
  /** Undefined: as without the option. */
  readonly folder: string | undefined;
  readonly destinations: readonly Destination[];
}

/** A place for series; `shown` has no secret. */
type Destination =
  | { readonly kind: 'file'; readonly path: string; readonly shown: string }
  | {
      readonly kind: 'url';
      readonly url: URL;
      readonly authorization: string | null;
      readonly shown: string;
    };

const PROMETHEUS = 'prometheus=';
const EXAMPLE = 'such as --out prometheus=capbench.prom, or the URL of a remote-write receiver';

/** Of several folders the last one counts. @throws CapbenchError (104) for a URL that cannot be written to */
export function readOut({ cwd }: Pick<Host, 'cwd'>, given: readonly string[]): RunOut {
  const folder = given.findLast((one) => one !== '' && !one.startsWith(PROMETHEUS));
  const destinations = given
    .filter((one) => one.startsWith(PROMETHEUS))
    .map((one) => destinationOf(cwd, one.slice(PROMETHEUS.length)));
  const shown = destinations.map((destination) => destination.shown);
  const twice = shown.find((one, i) => shown.indexOf(one) !== i);
  if (twice !== undefined) throw badInput(`--out: ${twice} is named twice`, 'leave one of them out');
  return { folder, destinations };
}

function destinationOf(cwd: string, where: string): Destination {
  if (where.trim() === '') throw badInput(`--out ${PROMETHEUS}: a file or a URL is missing`, EXAMPLE);
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(where))
    return { kind: 'file', path: resolve(cwd, where), shown: `${PROMETHEUS}${where}` };
  let url: URL;
  try {
    url = new URL(where);
  } catch {
    throw badInput(`--out ${PROMETHEUS}: got a URL that cannot be parsed`, EXAMPLE);
  }
  const { username, password, protocol, host, pathname } = url;
  const shown = `${PROMETHEUS}${protocol}//${host}${pathname}`;
  if (protocol !== 'http:' && protocol !== 'https:')
    throw badInput(`--out ${shown}: expected http:// or https://`, EXAMPLE);
  const login = `${decoded(username)}:${decoded(password)}`;
  url.username = '';
  url.password = '';
  url.hash = '';
  const authorization = login === ':' ? null : `Basic ${Buffer.from(login).toString('base64')}`;
  return { kind: 'url', url, authorization, shown };
}

/** A percent sign that stands for itself is no encoding. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const LARGEST_TEXT = 16 * 2 ** 20;
/** With what each file of ours begins. */
const OURS = /^(?:# HELP capbench_|$)/;

/**
 * Checks before a run that each file can be written. What lies there stays until the run has ended, since it is read all
 * the time; but it must be such a file.
 * @throws CapbenchError (104) where one cannot be written
 */
export async function checkDestinations(destinations: readonly Destination[]): Promise<void> {
  for (const destination of destinations) {
    if (destination.kind === 'url') continue;
    const { path, shown } = destination;
    const said = `--out ${shown}`;
    try {
      await makeFolders(dirname(path));
    } catch (thrown) {
      throw unwritable(said, thrown, 'name a file in a folder that you may write to');
    }
    if ((await stat(path).catch(() => null)) === null) continue;
    const there = await readBounded(path, LARGEST_TEXT, 'name another file', said);
    if (OURS.test(there.toString('utf8', 0, 100))) continue;
    throw badInput(
      `${said}: that file was not written by capbench, and would be replaced`,
      'name another file',
    );
  }
}

/** Writes the series of a run, wherever they are to go. A failure is a warning, once for each place, and nothing else. */
export type SendSeries = (
  m: Measurements,
  report: Report,
  say: (text: string) => void,
  abort: AbortSignal,
) => Promise<void>;

export function seriesSender(host: Host, destinations: readonly Destination[]): SendSeries {
  const warned = new Set<Destination>();
  return async (m, report, say, abort) => {
    for (const destination of destinations) {
      try {
        const warning =
          destination.kind === 'file'
            ? await writeText(host, destination.path, m, report)
            : await send(
                destination,
                writeRequests(m, report, { job: 'capbench', instance: hostname() }),
                abort,
              );
        if (warning === null) continue;
        if (!warned.has(destination)) say(`warning: --out ${destination.shown}: ${plain(warning)}`);
      } catch (thrown) {
        if (!warned.has(destination)) say(`warning: --out ${destination.shown}: ${plain(messageOf(thrown))}`);
      }
      warned.add(destination);
    }
  };
}

const writeText = (host: Host, path: string, m: Measurements, report: Report): Promise<string | null> =>
  writeArtefact(dirname(path), basename(path), prometheusText(m, report), host.redaction);

const HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'user-agent': 'capbench',
  'x-prometheus-remote-write-version': '0.1.0',
} as const;

/** For everything that is sent to one place. */
const LIMIT_MS = 30_000;
/** Pauses before an attempt is repeated. */
const PAUSES_MS = [500, 2000];
const LONGEST_ANSWER = 300;

/** Resolves with what went wrong; null where everything was taken. */
async function send(
  destination: Extract<Destination, { kind: 'url' }>,
  requests: readonly Uint8Array<ArrayBuffer>[],
  abort: AbortSignal,
): Promise<string | null> {
  const signal = AbortSignal.any([abort, timeoutSignal(LIMIT_MS)]);
  for (const [i, request] of requests.entries()) {
    let refused = await post(destination, request, signal);
    for (const pause of PAUSES_MS) {
      if (refused === null || !refused.again || signal.aborted) break;
      await sleep(pause, null, { signal }).catch(() => {});
      refused = await post(destination, request, signal);
    }
    if (refused !== null) {
      const part =
        requests.length === 1
          ? 'the series were not written'
          : `${i} of ${requests.length} parts of the series were written`;
      return `${part}: ${refused.because}`;
    }
  }
  return null;
}

interface Refused {
  readonly because: string;
  /** It may be taken later. */
  readonly again: boolean;
}

async function post(
  { url, authorization }: Extract<Destination, { kind: 'url' }>,
  body: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<Refused | null> {
  const headers = authorization === null ? HEADERS : { ...HEADERS, authorization };
  try {
    // A redirect could lead the credentials elsewhere.
    const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    if (answer.ok) {
      await answer.body?.cancel();
      return null;
    }
    const { status } = answer;
    const words = (await answer.text().catch(() => '')).slice(0, LONGEST_ANSWER).trim();
    return { because: statusText(status, words), again: status === 429 || status >= 500 };
  } catch (thrown) {
    if (signal.aborted) return { because: 'there was no answer in time', again: false };
    const error = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
    return { because: causeOfError(error).what, again: true };
  }
}

const RECEIVER =
  'Prometheus takes them at /api/v1/write, where it was started with --web.enable-remote-write-receiver';

function statusText(status: number, words: string): string {
  const text = `the receiver answered with status ${status}${words === '' ? '' : `, ${words}`}`;
  return status === 404 || status === 405 ? `${text}; ${RECEIVER}` : text;
}
