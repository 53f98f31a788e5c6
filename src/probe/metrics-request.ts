import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Agent, type Dispatcher, request } from 'undici';
import { connectorOptions } from '../address/access.ts';
import { causeOfAnswer } from '../address/connection-cause.ts';
import type { MetricsAddress } from '../address/probe-address.ts';
import { midway, monotonic } from '../clock.ts';
import { messageOf, stackFailed } from '../errors.ts';
import type { Micros } from '../units.ts';
import { type MetricsPage, readMetricsPage } from './metrics-page.ts';

/** What Prometheus asks for: OpenMetrics, else its own text format; names in quotes as they are. */
const ACCEPT = [
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5',
  'application/openmetrics-text;version=0.0.1;q=0.4',
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3',
  'text/plain;version=0.0.4;q=0.2',
  '*/*;q=0.1',
].join(',');

export interface PageRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the first byte, and between two. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  readonly longest: number;
  readonly dispatcher: Dispatcher | null;
}

export interface PageText {
  readonly text: string;
  /** By its content type. */
  readonly isOpenMetrics: boolean;
}

/**
 * Asks for a Prometheus page. No compression is asked for, which would cost the server CPU; what comes compressed is read.
 * @throws CapbenchError (93) for another status than 200, an Error for an answer that is longer than `longest`, and whatever undici throws
 */
export async function requestPage(page: PageRequest): Promise<PageText> {
  const { statusCode, headers, body } = await request(page.url, {
    headers: { ...page.headers, accept: ACCEPT },
    headersTimeout: page.patienceMs,
    bodyTimeout: page.patienceMs,
    signal: page.signal,
    ...(page.dispatcher === null ? {} : { dispatcher: page.dispatcher }),
  });
  if (statusCode !== 200) {
    // Nobody reads the rest of it.
    body.on('error', () => {}).destroy();
    const { kind, what, hint } = causeOfAnswer(statusCode, headers.location?.toString());
    throw stackFailed(`it answered ${what.replace(/^status /, '')}`, kind === 'notFound' ? '' : (hint ?? ''));
  }
  let text = '';
  for await (const chunk of decoded(body, String(headers['content-encoding'] ?? '')).setEncoding('utf8')) {
    text += chunk;
    if (text.length > page.longest) throw new Error('the answer has no end');
  }
  return {
    text,
    isOpenMetrics: /^\s*application\/openmetrics-text\b/i.test(String(headers['content-type'] ?? '')),
  };
}

function decoded(body: Readable, encoding: string): Readable {
  const decoder = {
    gzip: createGunzip,
    'x-gzip': createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
  }[encoding.trim().toLowerCase()];
  if (decoder !== undefined) {
    const plain = decoder();
    body.once('error', (error) => plain.destroy(error));
    plain.once('close', () => body.destroy());
    return body.pipe(plain);
  }
  if (/^\s*(?:identity)?\s*$/i.test(encoding)) return body;
  body.on('error', () => {}).destroy();
  throw new Error(`the answer is encoded as ${encoding.slice(0, 40)}, which was not asked for`);
}

/** A Prometheus page that is read again and again. */
export interface PageReader {
  /**
   * The page, and when it was told: half way from question to answer. `limitMs`: for all of it, and `patienceMs` between
   * two bytes. @throws an Error that names the address, its cause what went wrong
   */
  read(patienceMs: number, limitMs: number): Promise<{ readonly page: MetricsPage; readonly at: Micros }>;
  /** What is being read is given up. */
  close(): Promise<void>;
}

/** @param names of the metrics that are kept; @param longest the page, in characters */
export function openPageReader(
  { url, shown, access }: MetricsAddress,
  names: ReadonlySet<string>,
  longest: number,
): PageReader {
  const connect = connectorOptions(access);
  const dispatcher = connect === null ? null : new Agent({ connect });
  const closed = new AbortController();
  return {
    async read(patienceMs, limitMs) {
      const asked = monotonic();
      try {
        const signal = AbortSignal.any([AbortSignal.timeout(limitMs), closed.signal]);
        const { headers = {} } = access;
        const { text, isOpenMetrics } = await requestPage({
          ...{ url, headers, patienceMs, longest, dispatcher, signal },
        });
        return { page: readMetricsPage(text, names, { isOpenMetrics }), at: midway(asked) };
      } catch (error) {
        throw new Error(`GET ${shown}: ${messageOf(error)}`, { cause: error });
      }
    },
    async close() {
      closed.abort();
      await dispatcher?.destroy();
    },
  };
}
