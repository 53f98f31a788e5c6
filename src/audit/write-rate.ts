import type { Figure, Plan } from '../scenario/plan.ts';
import { agrees, exceeds, like, percentText, rangeText, text } from './arithmetic.ts';
import type { Check, Found } from './check.ts';

/** The row writes a second of a load, of which one may be for several operations. */
function rowWritesOf(load: Figure, perRow: Figure | undefined) {
  const each = perRow === undefined ? '1 operation' : text(perRow, 'operations');
  return {
    low: load.low / (perRow?.high ?? 1),
    high: load.high / (perRow?.low ?? 1),
    shown: `${text(load)} / ${each} a row write`,
  };
}

/** The load in rows against the rows a second that a database is said to write. */
function against(plan: Plan, rows: Figure | undefined, disputes: boolean): readonly Found[] {
  const load = plan.load?.operationsPerSecond;
  const perRow = plan.database?.operationsPerRowWrite;
  if (load === undefined || rows === undefined) return [];
  const { low, high, shown } = rowWritesOf(load, perRow);
  return [
    {
      subject: '',
      holds: !exceeds(high, rows.low),
      arithmetic: `${shown} = ${rangeText(low, high, 'row writes/s')}, of ${text(rows)}: ${percentText(high / rows.low)}`,
      figures: [load, rows, perRow],
      disputes: disputes ? [load, rows] : [load],
    },
  ];
}

export const updateRate: Check = {
  id: 'update-rate',
  title: 'The load fits the rows that the database can update',
  needs: ['load.operationsPerSecond', 'database.rowWritesPerSecond'],
  rule: (plan) => against(plan, plan.database?.rowWritesPerSecond, true),
};

export const insertRate: Check = {
  id: 'insert-rate',
  title: 'The load fits the rows that the database can insert',
  needs: ['load.operationsPerSecond', 'database.insertsPerSecond'],
  // How many rows a database inserts is measured without the load, and stays to be ruled.
  rule: (plan) => against(plan, plan.database?.insertsPerSecond, false),
};

/** A percentage of a capacity in rows is one of rows, and not of the batches in which they are written. */
export const databaseShare: Check = {
  id: 'database-share',
  title: 'The share of the rows that the database can update follows from the load',
  needs: ['load.operationsPerSecond', 'database.rowWritesPerSecond', 'database.used'],
  rule({ load, database = {}, batches }) {
    const { rowWritesPerSecond: rows, operationsPerRowWrite: perRow, used } = database;
    const [total, perSecond] = [load?.operationsPerSecond, batches?.perSecond];
    if (!total || !rows || !used) return [];
    const written = rowWritesOf(total, perRow);
    const [low, high] = [written.low / rows.high, written.high / rows.low];
    const ofBatches =
      perSecond !== undefined && agrees(used, perSecond.low / rows.high, perSecond.high / rows.low)
        ? `, which is ${text(perSecond)} / ${text(rows)}: a batch is not a row write`
        : '';
    return [
      {
        subject: '',
        holds: agrees(used, low, high),
        arithmetic: `${written.shown} / ${text(rows)} = ${like(used, low, high)}, stated as ${text(used)}${ofBatches}`,
        figures: [total, rows, perRow, used],
        disputes: [used],
      },
    ];
  },
};
