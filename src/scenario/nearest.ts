/** Levenshtein distance. */
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

/** Longer than any known name. */
const LONGEST = 80;

/** The known word nearest to a mistyped one; undefined when none is near. Ignores case. */
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

/** Splits `latency.intent.p95Ms` into lower-case words: latency, intent, p95, ms. */
const wordsOf = (segment: string): readonly string[] =>
  segment
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

/** 1 for equal words, less for a prefix or a typing error, 0 for different words. */
function alike(a: string, b: string): number {
  if (a === b) return 1;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length >= 3 && long.startsWith(short)) return 0.8;
  return short.length >= 4 && distance(a, b) <= Math.floor(short.length / 3) ? 0.7 : 0;
}

/** Least similarity of two paths: Dice's coefficient over their words. */
const LEAST_ALIKE = 0.4;

/**
 * The known path nearest to another one, which may be mistyped, or have words left out, added or reordered (`latency.due`
 * for `latency.intent.due`). An equal first segment is not enough.
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
    // Of two equally similar paths, the shorter one.
    if (score > most || (score === most && best !== undefined && candidate.length < best.length)) {
      best = candidate;
      most = score;
    }
  }
  return best;
}
