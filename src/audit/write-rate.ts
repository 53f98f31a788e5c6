import type { Figure, Plan } from '../scenario/plan.ts';
import { exceeds, percentText, rangeText, text } from './arithmetic.ts';
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
