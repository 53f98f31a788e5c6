import type { Ledger } from '../engine.ts';
import { isRecord, parseJson } from '../json.ts';

/** What the virtual users told at their end. */
export interface Books {
  readonly ledger: Ledger;
  /** Virtual users that told. */
  readonly tellers: number;
  readonly hashes: readonly (readonly [low: number, high: number])[];
  readonly complaints: readonly string[];
}

/** [id, last number before the run, last number used, acknowledged: how many, their sum, the highest; 1 + place]. */
const COLUMNS = 7;

/** Reads what the script logs: a line of JSON from each virtual user. Other lines are somebody else's. */
export function readBooks(text: string, entities: number): Books {
  const column = (): Float64Array => new Float64Array(entities);
  const [sentN, sentSum, sentMax] = [column(), column(), column()];
  const [ackedN, ackedSum, ackedMax, told] = [column(), column(), column(), column()];
  const hashes: (readonly [number, number])[] = [];
  const complaints: string[] = [];
  let tellers = 0;
  for (const line of text.split('\n')) {
    const message = parseJson(line);
    if (!isRecord(message) || !Array.isArray(message.books) || !isNumbers(message.hash)) continue;
    tellers += 1;
    const [low = 0, high = 0] = message.hash;
    hashes.push([low, high]);
    if (Array.isArray(message.complaints)) {
      complaints.push(...message.complaints.filter((one): one is string => typeof one === 'string'));
    }
    for (const row of message.books) {
      if (!isNumbers(row) || row.length !== COLUMNS) continue;
      const [id = -1, base = 0, last = 0, n = 0, sum = 0, max = 0, place = 0] = row;
      if (id < 0 || id >= entities) continue;
      // Numbers are dense: every one after `base` was used once.
      sentN[id] = last - base;
      sentSum[id] = (last * (last + 1) - base * (base + 1)) / 2;
      sentMax[id] = last > base ? last : 0;
      ackedN[id] = n;
      ackedSum[id] = sum;
      ackedMax[id] = max;
      told[id] = place;
    }
  }
  return {
    ledger: { sentN, sentSum, sentMax, ackedN, ackedSum, ackedMax, told },
    tellers,
    hashes,
    complaints,
  };
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
