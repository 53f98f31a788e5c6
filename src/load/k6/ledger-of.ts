import type { Ledger } from '../engine.ts';
import type { LedgerReport } from './user-report.ts';

/** [id, last number before the run, last number used, stated, highest number acknowledged], and then the gaps. */
const COLUMNS = 5;

/** The rows of all virtual users as one ledger. */
export function ledgerOf(reports: readonly LedgerReport[], entities: number): Ledger {
  const column = (): Float64Array => new Float64Array(entities);
  const [base, sentMax, ackedMax, stated] = [column(), column(), column(), column()];
  const gaps: number[] = [];
  for (const row of reports.flatMap(({ ledger }) => ledger)) {
    if (!isNumbers(row) || row.length < COLUMNS) continue;
    const [id = -1, before = 0, last = 0, what = 0, highest = 0, ...missing] = row;
    if (id >= entities) continue;
    // Numbers are dense: every one after `before` was used once.
    base[id] = before;
    sentMax[id] = last;
    ackedMax[id] = highest;
    stated[id] = what;
    for (let i = 0; i + 1 < missing.length; i += 2) gaps.push(id, missing[i]!, missing[i + 1]!);
  }
  const none = new Float64Array(0);
  return {
    base,
    sent: { max: sentMax, gaps: none, blurred: none },
    acked: { max: ackedMax, gaps: Float64Array.from(gaps), blurred: none },
    stated,
    // A player whose connection ends does not come back: there is one welcome.
    breaches: { forgotten: 0, invented: 0, examples: [] },
  };
}

const isNumbers = (row: unknown): row is readonly number[] =>
  Array.isArray(row) && row.every((item) => Number.isSafeInteger(item) && item >= 0);
