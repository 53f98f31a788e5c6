import { badInput } from '../errors.ts';

/** A token of a JavaScript or TypeScript source. */
export interface Token {
  /**
   * `word`: an identifier or keyword; `text`: a string, its value; `template`: what stands between the backticks, as it is
   * written; `number`; `regex`; `mark`: one character of punctuation, or `=>`, `...`.
   */
  readonly kind: 'word' | 'text' | 'template' | 'number' | 'regex' | 'mark';
  readonly text: string;
  readonly line: number;
}

/** After these words a slash begins a regular expression. */
const BEFORE_REGEX = /^(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield|instanceof)$/;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  0: '\0',
};

/**
 * The tokens of a script, without comments. Nothing of it is run.
 * @param file its name in errors
 * @throws CapbenchError (104) with line and column, where a string, a comment or a bracket is not closed
 */
export function tokensOf(file: string, source: string): readonly Token[] {
  const tokens: Token[] = [];
  const open: { readonly mark: string; readonly at: number }[] = [];
  let line = 1;
  let at = 0;
  const wrong = (from: number, what: string): Error => {
    const before = source.slice(0, from);
    const column = from - before.lastIndexOf('\n');
    return badInput(
      `${file}:${before.split('\n').length}:${column}: ${what}`,
      'expected a script that its own tool can read',
    );
  };
  const push = (kind: Token['kind'], text: string): void => void tokens.push({ kind, text, line });
  /** The text up to a closing quote that no backslash stands before; `at` is behind it afterwards. */
  const quoted = (quote: string, what: string): string => {
    const from = at;
    let text = '';
    for (at += 1; source[at] !== quote; at++) {
      const character = source[at];
      if (character === undefined || (character === '\n' && quote !== '`')) {
        throw wrong(from, `${what} is not closed`);
      }
      if (character === '\n') line += 1;
      if (quote === '`' && character === '$' && source[at + 1] === '{') {
        const end = endOfHole(at + 2);
        text += source.slice(at, end + 1);
        line += source.slice(at, end).split('\n').length - 1;
        at = end;
        continue;
      }
      if (character !== '\\') {
        text += character;
        continue;
      }
      at += 1;
      const escaped = source[at] ?? '';
      const code = /^(?:x([\da-f]{2})|u([\da-f]{4})|u\{([\da-f]{1,6})\})/i.exec(source.slice(at, at + 10));
      if (code !== null) {
        text += String.fromCodePoint(
          Math.min(0x10ffff, Number.parseInt(code[1] ?? code[2] ?? code[3] ?? '20', 16)),
        );
        at += code[0].length - 1;
      } else if (escaped === '\n') line += 1;
      else text += ESCAPES[escaped] ?? escaped;
    }
    at += 1;
    return text;
  };
  /** The closing brace of a hole in a template, where strings and templates may stand inside. */
  const endOfHole = (from: number): number => {
    let depth = 0;
    for (let i = from; i < source.length; i++) {
      const character = source[i];
      if (character === '{') depth += 1;
      else if (character === '}' && depth-- === 0) return i;
      else if (character === '"' || character === "'" || character === '`') {
        const end = /(?<!\\)(?:\\\\)*$/;
        let close = source.indexOf(character, i + 1);
        while (close > 0 && !end.test(source.slice(Math.max(0, close - 8), close))) {
          close = source.indexOf(character, close + 1);
        }
        if (close < 0) break;
        i = close;
      }
    }
    throw wrong(from, 'a part of a template is not closed');
  };
  const beginsRegex = (): boolean => {
    const before = tokens.at(-1);
    if (before === undefined) return true;
    if (before.kind === 'word') return BEFORE_REGEX.test(before.text);
    return before.kind === 'mark' && !/^[)\]}]$/.test(before.text);
  };
  while (at < source.length) {
    const character = source[at] ?? '';
    const two = source.slice(at, at + 2);
    if (character === '\n') {
      line += 1;
      at += 1;
    } else if (/\s/.test(character) || character === '\ufeff') at += 1;
    else if (two === '//' || (two === '#!' && at === 0)) {
      const end = source.indexOf('\n', at);
      at = end < 0 ? source.length : end;
    } else if (two === '/*') {
      const end = source.indexOf('*/', at + 2);
      if (end < 0) throw wrong(at, 'a comment is not closed');
      line += source.slice(at, end).split('\n').length - 1;
      at = end + 2;
    } else if (character === '"' || character === "'") push('text', quoted(character, 'a string'));
    else if (character === '`') push('template', quoted('`', 'a template'));
    else if (/[\p{ID_Start}$_@#]/u.test(character)) {
      const [word = character] = /^[\p{ID_Continue}$@#]+/u.exec(source.slice(at, at + 200)) ?? [];
      push('word', word);
      at += word.length;
    } else if (/\d/.test(character) || (character === '.' && /\d/.test(two[1] ?? ''))) {
      const [number = character] =
        /^(?:0[xob][\da-f_]+|[\d_]*\.?[\d_]*(?:e[+-]?\d+)?)n?/i.exec(source.slice(at, at + 100)) ?? [];
      push('number', number.replaceAll('_', ''));
      at += Math.max(1, number.length);
    } else if (character === '/' && beginsRegex()) {
      const [regex] =
        /^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/.exec(source.slice(at, at + 2000)) ?? [];
      push(regex === undefined ? 'mark' : 'regex', regex ?? '/');
      at += regex?.length ?? 1;
    } else {
      if (/[([{]/.test(character)) open.push({ mark: character, at });
      if (/[)\]}]/.test(character)) {
        const last = open.pop();
        const fits = { ')': '(', ']': '[', '}': '{' }[character];
        if (last?.mark !== fits) throw wrong(at, `got ${character}, which closes nothing`);
      }
      const mark = source.startsWith('...', at) ? '...' : two === '=>' ? '=>' : character;
      push('mark', mark);
      at += mark.length;
    }
  }
  const last = open.at(-1);
  if (last !== undefined) throw wrong(last.at, `${last.mark} is not closed`);
  return tokens;
}

/** The index of the bracket that closes the one at `from`. */
export function closing(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let i = from; i < tokens.length; i++) {
    const token = tokens[i];
    if (token?.kind !== 'mark') continue;
    if (/^[([{]$/.test(token.text)) depth += 1;
    if (/^[)\]}]$/.test(token.text)) depth -= 1;
    if (depth === 0) return i;
  }
  return tokens.length - 1;
}

/** The parts of a list between brackets, as ranges of tokens: without the commas, and without an empty last one. */
export function partsOf(
  tokens: readonly Token[],
  from: number,
  to: number,
): readonly (readonly [from: number, to: number])[] {
  const parts: [number, number][] = [];
  let begin = from;
  for (let i = from; i < to; i++) {
    const token = tokens[i];
    if (token?.kind !== 'mark') continue;
    if (/^[([{]$/.test(token.text)) i = closing(tokens, i);
    else if (token.text === ',') {
      parts.push([begin, i]);
      begin = i + 1;
    }
  }
  if (begin < to) parts.push([begin, to]);
  return parts;
}
