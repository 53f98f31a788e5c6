import { closing, partsOf, type Token, tokensOf } from './script-tokens.ts';

/** What an expression that only running it could tell stands for. */
export class Unknown {
  readonly source: string;
  readonly line: number;

  constructor(source: string, line: number) {
    this.source = source;
    this.line = line;
  }
}

export type Value =
  | string
  | number
  | boolean
  | null
  | Unknown
  | readonly Value[]
  | { readonly [key: string]: Value };

export const isMap = (value: Value | undefined): value is { readonly [key: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Unknown);

/** Stands in a text for a part that is not known. */
export const HOLE = '\u0000';

/** The key of what is spread into a map and is not known. */
export const REST = '...';

const DEEPEST = 30;
/** Constants that are made of constants could be read for ever. */
const MOST_READ = 200_000;

/** Reads literals of a script, and constants that are literals; everything else is unknown. Nothing is run. */
export class ScriptValues {
  private readonly tokens: readonly Token[];
  private count = 0;
  /** What was spread into a map of JSON, and is not known. */
  readonly lost: Unknown[] = [];
  /** The ranges of `const name = ..`, and of what is exported. */
  private readonly constants = new Map<string, readonly [number, number]>();

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
    for (let i = 0; i + 2 < tokens.length; i++) {
      if (!/^(?:const|let|var)$/.test(tokens[i]?.text ?? '') || tokens[i]?.kind !== 'word') continue;
      // What is not constant may have another value where it is used.
      if (tokens[i]?.text !== 'const' && tokens[i - 1]?.text !== 'export') continue;
      const name = tokens[i + 1];
      if (name?.kind !== 'word') continue;
      // A TypeScript type may stand before the value.
      let equals = i + 2;
      while (equals < tokens.length && !/^[=;]$/.test(tokens[equals]?.text ?? '')) equals += 1;
      if (tokens[equals]?.text === '=' && !this.constants.has(name.text)) {
        this.constants.set(name.text, [equals + 1, this.endOf(equals + 1)]);
      }
    }
  }

  constant(name: string): Value | undefined {
    const range = this.constants.get(name);
    return range === undefined ? undefined : this.read(range[0], range[1]);
  }

  /** Behind the expression that begins here: at a comma, a semicolon, a closing bracket, or a line that begins another. */
  private endOf(from: number): number {
    const { tokens } = this;
    for (let i = from; i < tokens.length; i++) {
      const token = tokens[i]!;
      if (token.kind === 'mark' && /^[([{]$/.test(token.text)) i = closing(tokens, i);
      else if (token.kind === 'mark' && /^[,;)\]}]$/.test(token.text)) return i;
      else if (
        i > from &&
        token.kind === 'word' &&
        /^(?:const|let|var|export|function|import|class|if|for|return)$/.test(token.text)
      ) {
        return i;
      }
    }
    return tokens.length;
  }

  /** The value of the tokens from `from` up to `to`. */
  read(from: number, to: number, depth = 0): Value {
    const { tokens } = this;
    const first = tokens[from];
    this.count += 1;
    if (first === undefined || from >= to || depth > DEEPEST || this.count > MOST_READ)
      return this.unknown(from, to);
    // `a as Options`, `a satisfies Options`
    const cast = this.atTop(
      from,
      to,
      (token) => token.kind === 'word' && /^(?:as|satisfies)$/.test(token.text),
    );
    if (cast > from) return this.read(from, cast, depth + 1);
    const either = this.atTop(
      from,
      to - 1,
      (token, i) => /^[|?]$/.test(token.text) && tokens[i + 1]?.text === token.text,
    );
    if (either >= 0) {
      const value = this.read(from, either, depth + 1);
      return value instanceof Unknown ? this.read(either + 2, to, depth + 1) : value;
    }
    const sum = this.sumOf(from, to);
    if (sum.length > 1) {
      const parts = sum.map(([begin, end]) => this.read(begin, end, depth + 1));
      if (parts.every((part) => typeof part === 'number')) return parts.reduce((all, part) => all + part, 0);
      return parts.every((part) => part instanceof Unknown)
        ? this.unknown(from, to)
        : parts.map(textIn).join('');
    }
    if (first.text === '(' && first.kind === 'mark' && closing(tokens, from) === to - 1) {
      return this.read(from + 1, to - 1, depth + 1);
    }
    if (first.text === '-' && to - from === 2) {
      const value = this.read(from + 1, to, depth + 1);
      return typeof value === 'number' ? -value : this.unknown(from, to);
    }
    if (first.text === '[' && first.kind === 'mark' && closing(tokens, from) === to - 1) {
      return partsOf(tokens, from + 1, to - 1).map(([begin, end]) => this.read(begin, end, depth + 1));
    }
    if (first.text === '{' && first.kind === 'mark' && closing(tokens, from) === to - 1) {
      return this.mapOf(from + 1, to - 1, depth);
    }
    const isCall =
      tokens[to - 1]?.text === ')' && /^(?:JSON)$/.test(first.text) && tokens[from + 2]?.text === 'stringify';
    if (isCall) {
      const [argument] = partsOf(tokens, from + 4, to - 1);
      const value =
        argument === undefined ? this.unknown(from, to) : this.read(argument[0], argument[1], depth + 1);
      if (value instanceof Unknown) return value;
      const rest = isMap(value) ? value[REST] : undefined;
      if (rest instanceof Unknown) this.lost.push(rest);
      const json = jsonOf(value);
      return hasHole(value) ? json.replaceAll('{player}', HOLE) : json;
    }
    return to - from === 1 ? this.single(first, depth) : this.unknown(from, to);
  }

  private single({ kind, text, line }: Token, depth: number): Value {
    if (kind === 'text') return text;
    if (kind === 'number') return Number(text.replace(/n$/, ''));
    if (kind === 'template') return this.template(text, line, depth);
    if (text === 'true' || text === 'false') return text === 'true';
    if (text === 'null' || text === 'undefined') return null;
    if (text === '__VU') return '{player}';
    const range = kind === 'word' ? this.constants.get(text) : undefined;
    return range === undefined ? new Unknown(text, line) : this.read(range[0], range[1], depth + 1);
  }

  private template(text: string, line: number, depth: number): Value {
    return text.replaceAll(/\$\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}/g, (_, inside: string) => {
      // Positions inside do not matter: only its names are looked up.
      const inner = tokensOf('template', inside);
      const [only] = inner;
      const value =
        inner.length === 1 && only !== undefined ? this.single(only, depth + 1) : new Unknown(inside, line);
      return textIn(value);
    });
  }

  private mapOf(from: number, to: number, depth: number): Value {
    const { tokens } = this;
    const entries = partsOf(tokens, from, to).flatMap(([begin, end]): (readonly [string, Value])[] => {
      const key = tokens[begin];
      if (key === undefined) return [];
      if (key.kind === 'mark' && key.text === REST) {
        const value = this.read(begin + 1, end, depth + 1);
        return isMap(value) ? Object.entries(value) : [[REST, this.unknown(begin + 1, end)]];
      }
      if (tokens[begin + 1]?.text === ':') return [[key.text, this.read(begin + 2, end, depth + 1)]];
      return end - begin === 1 ? [[key.text, this.single(key, depth + 1)]] : [];
    });
    // An own property, whatever its name is.
    return Object.assign(Object.create(null), Object.fromEntries(entries)) as {
      readonly [key: string]: Value;
    };
  }

  /** The parts of a sum. */
  private sumOf(from: number, to: number): (readonly [number, number])[] {
    const parts: (readonly [number, number])[] = [];
    let begin = from;
    for (;;) {
      const plus = this.atTop(begin, to, (token) => token.kind === 'mark' && token.text === '+');
      if (plus <= begin) break;
      parts.push([begin, plus]);
      begin = plus + 1;
    }
    return [...parts, [begin, to]];
  }

  /** The first token outside of brackets that fits; -1 where there is none. */
  private atTop(from: number, to: number, fits: (token: Token, i: number) => boolean): number {
    for (let i = from; i < to; i++) {
      const token = this.tokens[i]!;
      if (fits(token, i)) return i;
      if (token.kind === 'mark' && /^[([{]$/.test(token.text)) i = closing(this.tokens, i);
    }
    return -1;
  }

  private unknown(from: number, to: number): Unknown {
    const source = this.tokens.slice(from, Math.min(to, from + 12)).map(({ text }) => text);
    return new Unknown(source.join(''), this.tokens[from]?.line ?? 1);
  }
}

/** A value inside a text. */
const textIn = (value: Value): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : HOLE;

/** As JSON, in which what is not known is the number of the player. */
export function jsonOf(value: Value): string {
  const plain = (one: Value): unknown => {
    if (one instanceof Unknown) return '{player}';
    if (typeof one === 'string') return one.replaceAll(HOLE, '{player}');
    if (Array.isArray(one)) return one.map(plain);
    return isMap(one)
      ? Object.fromEntries(
          Object.entries(one).flatMap(([key, of]) => (key === REST ? [] : [[key, plain(of)]])),
        )
      : one;
  };
  return JSON.stringify(plain(value));
}

/** Whether a part of a value is not known. */
export const hasHole = (value: Value | undefined): boolean =>
  value instanceof Unknown ||
  (typeof value === 'string' && value.includes(HOLE)) ||
  (Array.isArray(value) && value.some(hasHole)) ||
  (isMap(value) && Object.values(value).some(hasHole));
