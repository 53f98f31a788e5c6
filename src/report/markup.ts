import type { Facts } from './facts.ts';
import { capital, markup, plain } from './plain-text.ts';

/** Text of a scenario or a component, within the elements of a page and within its quotes. */
export const safe = (text: string): string => markup(plain(text)).replaceAll("'", '&#39;');

/** A text, which is escaped here, or elements. */
type Cell = string | { readonly html: string };

/** By its columns' names it is written once they are known: on a narrow screen each value has its name beside it. */
export type Row = (head: readonly string[]) => string;

export const row =
  (cells: readonly Cell[], className = ''): Row =>
  (head) =>
    `<tr${attribute('class', className)}>${cells
      .map((cell, i) => {
        const content = typeof cell === 'string' ? unbroken(safe(cell)) : cell.html;
        return `<td${attribute('data-name', head[i] ?? '')}>${content}</td>`;
      })
      .join('')}</tr>`;

/** A number and its unit stay on one line. */
const unbroken = (text: string): string => text.replace(/^(-?[\d.,]+) (\S+)$/, '$1\u00a0$2');

const attribute = (name: string, value: string): string => (value === '' ? '' : ` ${name}="${safe(value)}"`);

/** A column without a name says what the row is about. */
export const table = (head: readonly string[], rows: readonly Row[], className = ''): string =>
  `<div class="scroll"><table${attribute('class', className)}><thead><tr>${head
    .map((name) => `<th scope="col">${safe(name)}</th>`)
    .join('')}</tr></thead><tbody>${rows.map((one) => one(head)).join('\n')}</tbody></table></div>`;

export const list = (lines: readonly string[]): string =>
  `<ul class="list">${lines.map((line) => `<li>${safe(line)}</li>`).join('')}</ul>`;

/** None where there is no fact. */
export function factList(facts: Facts): string[] {
  const entries = Object.entries(facts).map(
    ([name, values]) => `<dt>${safe(capital(name))}</dt><dd>${safe(values.join('; '))}</dd>`,
  );
  return entries.length === 0 ? [] : [`<dl>${entries.join('')}</dl>`];
}

/** A figure that every reader looks for first. */
export type Tile = readonly [name: string, value: string, more: string];

export const tileRow = (tiles: readonly Tile[]): string =>
  `<div class="tiles">${tiles
    .map(
      ([name, value, more]) =>
        `<div><p>${safe(name)}</p><strong>${safe(value)}</strong><p>${safe(more)}</p></div>`,
    )
    .join('')}</div>`;

/** What is read on demand: only its title is seen at first. */
export const folded = (title: string, content: string): string =>
  `<details><summary>${safe(title)}</summary>${content}</details>`;
