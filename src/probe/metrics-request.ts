import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Agent, request } from 'undici';
import { connectorOptions } from '../address/access.ts';
import { causeOfAnswer } from '../address/connection-cause.ts';
import type { MetricsAddress } from '../address/probe-address.ts';
import { midway, monotonic } from '../clock.ts';
import { messageOf, stackFailed } from '../errors.ts';
import { timeoutSignal } from '../supervision/time-limit.ts';
import { readMetricsPage } from './metrics-page.ts';

/** Prometheus' own Accept header: OpenMetrics, else its text format; quoted names are not escaped. */
const ACCEPT = [
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5',
  'application/openmetrics-text;version=0.0.1;q=0.4',
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3',
  'text/plain;version=0.0.4;q=0.2',
  '*/*;q=0.1',
].join(',');

/**
 * Reads a Prometheus page repeatedly. It requests no compression, which would cost the server CPU, but accepts it.
 * `names`: of the metrics to keep; `longest`: limit of the page in characters.
 */
export function openPageReader(
  { url, shown, access }: MetricsAddress,
  names: ReadonlySet<string>,
  longest: number,
) {
  const connect = connectorOptions(access);
  const dispatcher = connect === null ? null : new Agent({ connect });
  const closed = new AbortController();
  const ask = async (patienceMs: number, limitMs: number) => {
    const { statusCode, headers, body } = await request(url, {
      headers: { ...access.headers, accept: ACCEPT },
      headersTimeout: patienceMs,
      bodyTimeout: patienceMs,
      signal: AbortSignal.any([timeoutSignal(limitMs), closed.signal]),
      ...(dispatcher === null ? {} : { dispatcher }),
    });
    if (statusCode !== 200) {
      // The body is not read.
      body.on('error', () => {}).destroy();
      const { kind, what, hint } = causeOfAnswer(statusCode, headers.location?.toString());
      throw stackFailed(
        `it answered ${what.replace(/^status /, '')}`,
        kind === 'notFound' ? '' : (hint ?? ''),
      );
    }
    let text = '';
    for await (const chunk of decoded(body, String(headers['content-encoding'] ?? '')).setEncoding('utf8')) {
      text += chunk;
      if (text.length > longest) throw new Error(`the page is longer than ${longest} characters`);
    }
    const type = String(headers['content-type'] ?? '');
    return readMetricsPage(text, names, {
      isOpenMetrics: /^\s*application\/openmetrics-text\b/i.test(type),
    });
  };
  return {
    /**
     * The page and its time: the middle between request and response. `limitMs`: for the whole response; `patienceMs`:
     * for the first byte, and between two. @throws an Error with the address, whose cause is the error itself
     */
    async read(patienceMs: number, limitMs: number) {
      const asked = monotonic();
      try {
        return { page: await ask(patienceMs, limitMs), at: midway(asked) };
      } catch (error) {
        throw new Error(`GET ${shown}: ${messageOf(error)}`, { cause: error });
      }
    },
    /** Aborts a read in progress. */
    async close() {
      closed.abort();
      await dispatcher?.destroy();
    },
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
