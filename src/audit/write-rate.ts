import type { Figure, Plan } from '../scenario/plan.ts';
import { agrees, exceeds, like, percentText, rangeText, text } from './arithmetic.ts';
import type { Check, Found } from './check.ts';

/** The load in rows against the rows a second that a database is said to write. */
function against(
  plan: Plan,
  rows: Figure | undefined,
  perRow: Figure | undefined,
  disputes: boolean,
): readonly Found[] {
  const load = plan.load?.operationsPerSecond;
  if (load === undefined || rows === undefined) return [];
  const shared = perRow?.low ?? 1;
  const [least, most] = [load.low / (perRow?.high ?? 1), load.high / shared];
  const each = perRow === undefined ? '1 operation' : text(perRow, 'operations');
  return [
    {
      subject: '',
      holds: !exceeds(most, rows.low),
      arithmetic: `${text(load)} / ${each} a row write = ${rangeText(least, most, 'row writes/s')}, of ${text(rows)}: ${percentText(most / rows.low)}`,
      figures: [load, rows, perRow],
      disputes: disputes ? [load, rows] : [load],
    },
  ];
}

export const updateRate: Check = {
  id: 'update-rate',
  title: 'The load fits the rows that the database can update',
  needs: ['load.operationsPerSecond', 'database.rowWritesPerSecond'],
  rule: (plan) =>
    against(plan, plan.database?.rowWritesPerSecond, plan.database?.operationsPerRowWrite, true),
};

export const insertRate: Check = {
  id: 'insert-rate',
  title: 'The load fits the rows that the database can insert',
  needs: ['load.operationsPerSecond', 'database.insertsPerSecond'],
  // How many rows a database inserts is measured without the load, and stays to be ruled.
  rule: (plan) => against(plan, plan.database?.insertsPerSecond, plan.database?.operationsPerRowWrite, false),
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
    const [low, high] = [
      total.low / (perRow?.high ?? 1) / rows.high,
      total.high / (perRow?.low ?? 1) / rows.low,
    ];
    const ofBatches =
      perSecond !== undefined && agrees(used, perSecond.low / rows.high, perSecond.high / rows.low)
        ? `, which is ${text(perSecond)} / ${text(rows)}: a batch is not a row write`
        : '';
    const each = perRow === undefined ? '1 operation' : text(perRow, 'operations');
    return [
      {
        subject: '',
        holds: agrees(used, low, high),
        arithmetic: `${text(total)} / ${each} a row write / ${text(rows)} = ${like(used, low, high)}, stated as ${text(used)}${ofBatches}`,
        figures: [total, rows, perRow, used],
        disputes: [used],
      },
    ];
  },
};
