import { plain } from './plain-text.ts';

/** The states of a budget as a sign. */
export const MARKS = {
  met: '✅',
  breached: '❌',
  contradicted: '≠',
  unmeasured: '➖',
  untestable: '➖',
} as const;

/**
 * Escapes text of a scenario or a component: no link, image, mention or markup in it becomes active in the comment. An
 * underscore inside a word is no markup, and stays readable.
 */
export const cell = (text: string): string =>
  plain(text)
    .trim()
    .replaceAll('`', "'")
    .replace(/[\\|*~$[\]]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&')
    .replace(/&(?=#?\w+;)/g, '&amp;')
    .replaceAll('<', '&lt;')
    // GitHub turns bare addresses into links, and notifies users who are mentioned.
    .replace(/:(?=\/\/)/g, '\\:')
    .replace(/\bwww\./gi, (www) => `${www.slice(0, -1)}\\.`)
    .replaceAll('@', '@\u2060')
    .replace(/^([#>+-]|\d+(?=[.)](?:\s|$)))/, (mark) => (/\d/.test(mark) ? `${mark}\\` : `\\${mark}`));

/** The head of a table, and the line that makes it one. */
export const tableHead = (names: readonly string[]): readonly string[] => [
  `| ${names.join(' | ')} |`,
  `| ${names.map(() => '---').join(' | ')} |`,
];

/** A row of a table: texts, which are escaped here. */
export const tableRow = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
