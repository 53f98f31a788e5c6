/** What stands before the value of a Prometheus sample: `http_requests_total{code="500"}`, or `{"my.metric",code="500"}`. */
interface SampleHead {
  /** Null where it cannot be read. */
  readonly name: string | null;
  /** Null where they cannot be read. */
  readonly labels: ReadonlyMap<string, string> | null;
  /** Where in the text it ends, blanks behind it included; where it cannot be read, how far that went. */
  readonly end: number;
  /** What is wrong with it, of a line that has it: null where nothing is. */
  readonly problem: string | null;
}

const BLANKS = /[ \t]*/y;
const NAME = /[a-zA-Z_:][\w:]*/y;
const LABEL = /[a-zA-Z_]\w*/y;
const QUOTED = /"((?:[^"\\\n]|\\.)*)"/y;

/** Of the three escapes of the format; what else follows a backslash stands for itself, backslash included. */
const unescaped = (text: string): string =>
  text.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));

/** Reads the head of a sample as the Prometheus text format and OpenMetrics have it, names in quotes included. */
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
      if (key === undefined) return failed(`${shown(text[at])} stands where a label should`);
      if (takeSign('=')) {
        const value = take(QUOTED)?.[1];
        if (value === undefined) return failed(`the label ${key} has no value in quotes`);
        if (labels.has(key)) return failed(`the label ${key} is there twice`);
        labels.set(key, unescaped(value));
      } else if (quoted !== undefined && name === null && labels.size === 0) name = key;
      else return failed(`the label ${key} has no value`);
      // A comma may stand behind the last one.
      if (!takeSign(',') && text[at] !== '}') return failed(`no comma follows the label ${key}`);
    }
  }
  takeBlanks();
  return name === null ? failed('it has no name') : { name, labels, end: at, problem: null };
}

const shown = (sign: string | undefined): string => (sign === undefined ? 'nothing' : `"${sign}"`);

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A number as both formats write it, NaN and infinities in any case; null for what is none (Prometheus takes no hexadecimal). */
export function readNumber(text: string): number | null {
  if (DECIMAL.test(text)) return Number(text);
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?inf(?:inity)?$/i.test(text)) return null;
  return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
