import { agrees, exceeds, like, numberText, text } from './arithmetic.ts';
import type { Check } from './check.ts';

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
    if (!servers || !interval || !operations || !perSecond || !total) return [];
    const byTime = { low: servers.low / interval.high, high: servers.high / interval.low };
    const bySize = { low: total.low / operations.high, high: total.high / operations.low };
    const rate = { low: Math.max(byTime.low, bySize.low), high: Math.max(byTime.high, bySize.high) };
    const ends = byTime.high >= bySize.high ? 'the time ends a batch first' : 'the size ends a batch first';
    return [
      {
        subject: '',
        holds: agrees(perSecond, rate.low, rate.high),
        arithmetic: `${numberText(servers.high)} servers that write every ${text(interval)} make ${like({ ...perSecond, unit: 'batches/s' }, byTime.low, byTime.high)}, and of ${text(operations)} at ${text(total)} ${like({ ...perSecond, unit: 'batches/s' }, bySize.low, bySize.high)}: ${ends}, at ${numberText(total.high / rate.high)} operations; stated are ${text(perSecond)}`,
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
    const of = perRow === undefined ? '' : `, ${text(perRow)} to a row,`;
    return [
      {
        subject: '',
        holds: !exceeds(time, latency.low),
        arithmetic: `${text(operations)}${of} at ${text(rows)} take ${like(latency, time)} of a database that does nothing else, within ${text(latency)}`,
        figures: [operations, latency, rows, perRow],
        disputes: [latency],
      },
    ];
  },
};
