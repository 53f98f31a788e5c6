import { withoutEscapes } from '../terminal-escapes.ts';

/** `Commands` for `commands`. */
export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** Without characters that a terminal, XML or a table would interpret. */
export const plain = (text: string): string =>
  withoutEscapes(text)
    .replace(/[\ufffe\uffff]/g, '')
    .replace(/[\t\n]+/g, ' ');

/** As text within the elements of HTML and XML, and within quotes. */
export const markup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
