/** Levenshtein's distance: insertions, deletions and replacements from one word to the other. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Longer than any name here: not worth a table of distances. */
const LONGEST = 80;

/** The known word that a mistyped one most likely means; undefined when none is near. Case does not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  const lower = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const d = distance(lower, candidate.toLowerCase());
    if (d < bestDistance && d < candidate.length) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

/** `latency.intent.p95Ms` in words of lower case: latency, intent, p95, ms. */
const wordsOf = (segment: string): readonly string[] =>
  segment
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

/** 1 for the same word, less for one that begins like it or is mistyped, 0 for another. */
function alike(a: string, b: string): number {
  if (a === b) return 1;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length >= 3 && long.startsWith(short)) return 0.8;
  return short.length >= 4 && distance(a, b) <= Math.floor(short.length / 3) ? 0.7 : 0;
}

/** So much of all words of two paths has to be in both (Dice's coefficient). */
const LEAST_ALIKE = 0.4;

/**
 * The known path that another one most likely means: mistyped, or with words left out, added or in another order
 * (`latency.due` for `latency.intent.due`). That the first segment is the same says nothing yet.
 */
export function nearestPath(path: string, known: readonly string[]): string | undefined {
  const mistyped = nearest(path, known);
  if (mistyped !== undefined || path.length > LONGEST) return mistyped;
  const words = wordsOf(path);
  const first = wordsOf(path.includes('.') ? (path.split('.')[0] ?? '') : '').length;
  let best: string | undefined;
  let most = LEAST_ALIKE;
  for (const candidate of known) {
    const others = wordsOf(candidate);
    const matches = words.map((word) => Math.max(0, ...others.map((other) => alike(word, other))));
    if (!matches.slice(first).some((match) => match > 0)) continue;
    const score = (2 * matches.reduce((sum, match) => sum + match, 0)) / (words.length + others.length);
    // Of two that are as near, the one with less that was not said.
    if (score > most || (score === most && best !== undefined && candidate.length < best.length)) {
      best = candidate;
      most = score;
    }
  }
  return best;
}
