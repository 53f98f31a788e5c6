const ES = /(?:tch|nch|sh|x|ss)es$/;

/** `core` of `cores`, `batch` of `batches`, `entity` of `entities`. */
export function singular(word: string): string {
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (ES.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}

/** The other way round; what is plural already stays. */
export function plural(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  if (ES.test(`${word}es`)) return `${word}es`;
  return word.endsWith('s') ? word : `${word}s`;
}
