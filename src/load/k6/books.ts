import { isRecord, parseJson } from '../json.ts';

/**
 * [id, last number before the run, last number used, stated (Ledger), highest number acknowledged], and then [first, last]
 * of each gap in what was acknowledged.
 */
const COLUMNS = 5;

/** Reads what the script logs: a line of JSON from each virtual user. Other lines are somebody else's. */
export function readBooks(text: string, entities: number) {
  const column = (): Float64Array => new Float64Array(entities);
  const [base, sentMax, ackedMax, stated] = [column(), column(), column(), column()];
  const gaps: number[] = [];
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
      if (!isNumbers(row) || row.length < COLUMNS) continue;
      const [id = -1, before = 0, last = 0, said = 0, highest = 0, ...missing] = row;
      if (id < 0 || id >= entities) continue;
      // Numbers are dense: every one after `before` was used once.
      base[id] = before;
      sentMax[id] = last;
      ackedMax[id] = highest;
      stated[id] = said;
      for (let i = 0; i + 1 < missing.length; i += 2) gaps.push(id, missing[i]!, missing[i + 1]!);
    }
  }
  const none = new Float64Array(0);
  return {
    ledger: {
      base,
      sent: { max: sentMax, gaps: none, blurred: none },
      acked: { max: ackedMax, gaps: Float64Array.from(gaps), blurred: none },
      stated,
      // A player that is lost does not come back: there is one welcome.
      breaches: { forgotten: 0, invented: 0, examples: [] },
    },
    tellers,
    hashes,
    complaints,
  };
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
