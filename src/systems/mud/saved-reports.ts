/** Records the numbers from..to as saved. */
type Record = (from: number, to: number) => void;

/**
 * What the server reports as saved over one connection. Most reports repeat all that came before (1 to 40, then 1 to 41), so only
 * what is new is recorded; but they come in any order (9, then 10, then 1 to 10), and each counts whatever came before.
 */
export function savedReports(record: Record): { report(from: number, to: number): void } {
  /** A range that is recorded as a whole; empty at first. */
  let known = { from: 1, to: 0 };
  return {
    report(from, to) {
      const isApart = known.to < known.from || to < known.from - 1 || from > known.to + 1;
      if (isApart) {
        record(from, to);
        known = { from, to };
        return;
      }
      if (from < known.from) record(from, known.from - 1);
      if (to > known.to) record(known.to + 1, to);
      known = { from: Math.min(from, known.from), to: Math.max(to, known.to) };
    },
  };
}
