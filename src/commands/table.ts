import { wrap } from '../report/terminal-text.ts';

/** A last column narrower than this goes below the others instead. */
const NARROWEST_LAST = 32;

/**
 * Rows in columns as wide as their cells. The last column is broken into lines where the terminal ends; a row that is too
 * wide before that goes on below, further in.
 */
export function table(
  rows: readonly (readonly string[])[],
  indent: string,
  width: number,
): readonly string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) =>
    Math.max(...rows.map((row) => (i === row.length - 1 && i > 0 ? 0 : (row[i]?.length ?? 0)))),
  );
  const below = `${indent}    `;
  return rows.flatMap((row) => {
    const lines: string[] = [];
    let line = indent;
    for (const [i, cell] of row.entries()) {
      if (cell === '') {
        line += ' '.repeat((widths[i] ?? 0) + 2);
        if (i === row.length - 1) lines.push(line);
      } else if (i === row.length - 1) {
        const left = width - line.length;
        const isShort = cell.split('\n').every((part) => part.length <= left);
        if (!isShort && left < NARROWEST_LAST) {
          lines.push(line);
          line = below;
        }
        const start = line.length;
        const parts = cell.split('\n').flatMap((part) => wrap(part, Math.max(NARROWEST_LAST, width - start)));
        lines.push(...parts.map((part, n) => (n === 0 ? line : ' '.repeat(start)) + part));
        if (parts.length === 0) lines.push(line);
      } else if (line.length + cell.length > width && line.trim() !== '') {
        lines.push(line);
        line = `${below}${cell}  `;
      } else {
        line += `${cell.padEnd(widths[i] ?? 0)}  `;
      }
    }
    return lines.map((one) => one.trimEnd());
  });
}
