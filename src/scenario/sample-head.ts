/** The name and labels of a Prometheus sample: `http_requests_total{code="500"}`, or `{"my.metric",code="500"}`. */
interface SampleHead {
  /** Null where it is malformed. */
  readonly name: string | null;
  /** Null where they are malformed. */
  readonly labels: ReadonlyMap<string, string> | null;
  /** Where it ends, after trailing blanks; for a malformed one, where parsing stopped. */
  readonly end: number;
  /** Why it is malformed; null where it is not. */
  readonly problem: string | null;
}

const BLANKS = /[ \t]*/y;
const NAME = /[a-zA-Z_:][\w:]*/y;
const LABEL = /[a-zA-Z_]\w*/y;
const QUOTED = /"((?:[^"\\\n]|\\.)*)"/y;

/** Replaces the format's three escapes; other backslashes are literal. */
const unescaped = (text: string): string =>
  text.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));

/** Parses name and labels in the Prometheus text format and OpenMetrics, including quoted names. */
export function readHead(text: string): SampleHead {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const takeBlanks = (): void => void take(BLANKS);
  const takeSign = (sign: string): boolean => {
    takeBlanks();
    if (text[at] !== sign) return false;
    at += 1;
    takeBlanks();
    return true;
  };

  takeBlanks();
  let name = take(NAME)?.[0] ?? null;
  const labels = new Map<string, string>();
  const failed = (problem: string): SampleHead => ({ name, labels: null, end: at, problem });
  if (name !== null && at < text.length && !/[ \t{]/.test(text[at] ?? '')) {
    return failed(`${shown(text[at])} follows the name`);
  }
  if (takeSign('{')) {
    while (!takeSign('}')) {
      const quoted = take(QUOTED)?.[1];
      const key = quoted === undefined ? take(LABEL)?.[0] : unescaped(quoted);
      if (key === undefined) return failed(`got ${shown(text[at])}, expected a label`);
      if (takeSign('=')) {
        const value = take(QUOTED)?.[1];
        if (value === undefined) return failed(`the label ${key} has no value in quotes`);
        if (labels.has(key)) return failed(`the label ${key} appears twice`);
        labels.set(key, unescaped(value));
      } else if (quoted !== undefined && name === null && labels.size === 0) name = key;
      else return failed(`the label ${key} has no value`);
      // A trailing comma is allowed.
      if (!takeSign(',') && text[at] !== '}') return failed(`no comma follows the label ${key}`);
    }
  }
  takeBlanks();
  return name === null ? failed('it has no name') : { name, labels, end: at, problem: null };
}

const shown = (sign: string | undefined): string => (sign === undefined ? 'nothing' : `"${sign}"`);

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Parses a number of both formats, including NaN and infinities; null for anything else (Prometheus has no hexadecimal). */
export function readNumber(text: string): number | null {
  if (DECIMAL.test(text)) return Number(text);
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?inf(?:inity)?$/i.test(text)) return null;
  return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
