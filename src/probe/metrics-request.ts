import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Agent, request } from 'undici';
import { connectorOptions } from '../address/access.ts';
import { causeOfAnswer } from '../address/connection-cause.ts';
import type { MetricsAddress } from '../address/probe-address.ts';
import { midway, monotonic } from '../clock.ts';
import { messageOf, stackFailed } from '../errors.ts';
import { readMetricsPage } from './metrics-page.ts';

/** What Prometheus asks for: OpenMetrics, else its own text format; names in quotes as they are. */
const ACCEPT = [
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5',
  'application/openmetrics-text;version=0.0.1;q=0.4',
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3',
  'text/plain;version=0.0.4;q=0.2',
  '*/*;q=0.1',
].join(',');

/**
 * A Prometheus page that is read again and again. No compression is asked for, which would cost the server CPU; what
 * comes compressed is read. `names`: of the metrics that are kept; `longest`: the page, in characters.
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
      signal: AbortSignal.any([AbortSignal.timeout(limitMs), closed.signal]),
      ...(dispatcher === null ? {} : { dispatcher }),
    });
    if (statusCode !== 200) {
      // Nobody reads the rest of it.
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
      if (text.length > longest) throw new Error('the answer has no end');
    }
    const type = String(headers['content-type'] ?? '');
    return readMetricsPage(text, names, {
      isOpenMetrics: /^\s*application\/openmetrics-text\b/i.test(type),
    });
  };
  return {
    /**
     * The page, and when it was told: half way from question to answer. `limitMs`: for all of it, and `patienceMs`
     * for the first byte, and between two. @throws an Error that names the address, its cause what went wrong
     */
    async read(patienceMs: number, limitMs: number) {
      const asked = monotonic();
      try {
        return { page: await ask(patienceMs, limitMs), at: midway(asked) };
      } catch (error) {
        throw new Error(`GET ${shown}: ${messageOf(error)}`, { cause: error });
      }
    },
    /** What is being read is given up. */
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
