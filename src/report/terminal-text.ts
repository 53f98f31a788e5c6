/** Puts colour around a text, or nothing. */
export type Paint = (text: string) => string;
export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

const sgr =
  (on: boolean, open: number, close: number): Paint =>
  (text) =>
    on ? `\u001b[${open}m${text}\u001b[${close}m` : text;

export const palette = (on: boolean): Palette => ({
  bold: sgr(on, 1, 22),
  dim: sgr(on, 2, 22),
  red: sgr(on, 31, 39),
  green: sgr(on, 32, 39),
  yellow: sgr(on, 33, 39),
});

const NAME_WIDTH = 24;
/** Of the names of facts. */
export const LONGEST_FACT = NAME_WIDTH - 1;
/** The longest name of a fact. */
export const LONGEST_NAME = NAME_WIDTH - 1;

/** A name and its values, in k6's format: `players.........: 5,000 of 5,000`. */
export const fact = (name: string, ...values: readonly string[]): string =>
  `${name.padEnd(NAME_WIDTH, '.')}: ${values.filter((value) => value !== '').join('  ')}`;

/** A further line of the values of a fact. */
export const belowFact = (text: string): string => ' '.repeat(NAME_WIDTH + 2) + text;

/** At most `width` characters. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1)).trimEnd()}…`;
}

const LONGEST_LABEL = 18;
/** The name of an operation in a column. */
export const shortLabel = ({
  label,
  short,
}: {
  readonly label: string;
  readonly short?: string | undefined;
}): string => cut(short ?? label, LONGEST_LABEL);

/** Breaks a text at spaces, and a word that is longer than a line within it, so that each line fits. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  const pieces = new RegExp(`.{1,${Math.max(1, width)}}`, 'gu');
  for (const word of text.split(' ').flatMap((one) => one.match(pieces) ?? [''])) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** Facts that are too long for a line continue below their first value, broken between values. */
export function fold(lines: readonly string[], width: number): string[] {
  const indent = NAME_WIDTH + 2;
  return lines.flatMap((line) => {
    if (line.length <= width) return [line];
    const folded: string[] = [];
    let current = line.slice(0, indent);
    const values = line.slice(indent).split('  ');
    for (const value of values.flatMap((one) => wrap(one, width - indent))) {
      const start = current.length === indent;
      if (!start && current.length + 2 + value.length > width) {
        folded.push(current);
        current = ' '.repeat(indent) + value;
      } else {
        current += start ? value : `  ${value}`;
      }
    }
    return [...folded, current].map((text) => cut(text, width));
  });
}

/** The name column of a table keeps this much. */
const NARROWEST_NAME = 8;

/**
 * Rows with their first column on the left and the others on the right, each as wide as its widest cell. Where that is
 * wider than the line, the gaps shrink, and then the first column.
 */
export function grid(rows: readonly (readonly string[])[], width: number): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const [first = 0, ...others] = widths;
  const right = others.reduce((sum, one) => sum + one, 0);
  const gap = first + right + 2 * others.length <= width ? 2 : 1;
  const name = Math.min(first, Math.max(NARROWEST_NAME, width - right - gap * others.length));
  return rows.map(([label = '', ...cells]) => {
    const aligned = cells.map((cell, i) => cell.padStart(others[i] ?? 0));
    return cut([cut(label, name).padEnd(name), ...aligned].join(' '.repeat(gap)), width);
  });
}
