import { plain } from './format.ts';

export const safe = (text: string): string =>
  plain(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');

/** A row of a table; the cells are escaped here. */
export const row = (cells: readonly string[], tag: 'td' | 'th' = 'td'): string =>
  `<tr>${cells.map((cell) => `<${tag}>${safe(cell)}</${tag}>`).join('')}</tr>`;

export const table = (head: readonly string[], rows: readonly string[], className = ''): string =>
  `<div class="wide"><table${className === '' ? '' : ` class="${className}"`}><thead>${row(head, 'th')}</thead><tbody>${rows.join('\n')}</tbody></table></div>`;

export const facts = (all: readonly (readonly [string, string])[]): string =>
  `<dl>${all.map(([name, value]) => `<dt>${safe(name)}</dt><dd>${safe(value)}</dd>`).join('')}</dl>`;
