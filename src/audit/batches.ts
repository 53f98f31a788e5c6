import { agrees, countText, exceeds, like, rangeText, text } from './arithmetic.ts';
import type { Check } from './check.ts';

/**
 * Batches that `servers` servers write a second when a batch ends some time after its first operation. Where operations are rarer
 * than that time, a batch of nothing is not written: there are no more batches than operations.
 */
function byTimeOf(servers: number, interval: number, operations: number) {
  const most = servers / interval;
  if (!exceeds(most, operations)) return { low: most, high: most };
  return { low: servers / (interval + servers / operations), high: operations };
}

/** Servers that write after a time or at a size, whichever comes first. */
export const batchRate: Check = {
  id: 'batch-rate',
  title: 'The batches a second follow from the limit that ends a batch first',
  needs: [
    'batches.servers',
    'batches.interval',
    'batches.operations',
    'batches.perSecond',
    'load.operationsPerSecond',
  ],
  rule({ batches = {}, load }) {
    const { servers, interval, operations, perSecond } = batches;
    const total = load?.operationsPerSecond;
    if (!servers || !interval || !operations || !perSecond || !total || total.high === 0) return [];
    const byTime = {
      low: total.low === 0 ? 0 : byTimeOf(servers.low, interval.high, total.low).low,
      high: byTimeOf(servers.high, interval.low, total.high).high,
    };
    const bySize = { low: total.low / operations.high, high: total.high / operations.low };
    const rate = { low: Math.max(byTime.low, bySize.low), high: Math.max(byTime.high, bySize.high) };
    const isTime = byTime.high >= bySize.high;
    const idle = exceeds(servers.high / interval.low, total.high)
      ? ', of which not all have an operation,'
      : '';
    const size = total.high / rate.high;
    return [
      {
        subject: '',
        holds: agrees(perSecond, rate.low, rate.high),
        arithmetic: `by time ${text(servers, 'servers')} / ${text(interval)}${idle} = ${rangeText(byTime.low, byTime.high, 'batches/s')}, by size ${text(total)} / ${text(operations)} = ${rangeText(bySize.low, bySize.high, 'batches/s')}: the ${isTime ? 'time' : 'size'} ends a batch first, at ${countText(size, 'operations')}; stated as ${text(perSecond)}`,
        figures: [servers, interval, operations, perSecond, total],
        disputes: [perSecond],
      },
    ];
  },
};

export const batchTime: Check = {
  id: 'batch-time',
  title: 'A full batch is written within its latency, at the rate of the database',
  needs: ['batches.operations', 'batches.latency', 'database.rowWritesPerSecond'],
  rule({ batches = {}, database = {} }) {
    const { operations, latency } = batches;
    const { rowWritesPerSecond: rows, operationsPerRowWrite: perRow } = database;
    if (!operations || !latency || !rows) return [];
    const time = operations.high / (perRow?.low ?? 1) / rows.low;
    const of = perRow === undefined ? '' : ` / ${text(perRow, 'operations')} a row write`;
    return [
      {
        subject: '',
        holds: !exceeds(time, latency.low),
        arithmetic: `${text(operations)}${of} / ${text(rows)} = ${like(latency, time)} of a database that does nothing else, of ${text(latency)}`,
        figures: [operations, latency, rows, perRow],
        disputes: [latency],
      },
    ];
  },
};
