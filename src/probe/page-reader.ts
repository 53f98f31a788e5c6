import { Agent } from 'undici';
import { connectorOptions } from '../address/access.ts';
import type { MetricsAddress } from '../address/probe-address.ts';
import { midway, monotonic } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Micros } from '../units.ts';
import { type MetricsPage, readMetricsPage } from './metrics-page.ts';
import { requestPage } from './metrics-request.ts';

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
