/** Outside quotes these mean something to a shell, and there is none. */
const OF_A_SHELL = /[|&;<>$`]/;
const ASSIGNMENT = /^[A-Za-z_]\w*=/;

/** The words of a command, split at blanks; '..' and ".." keep blanks, and nothing is expanded. Or why it has none. */
export function wordsOf(text: string): { readonly words: readonly string[] } | { readonly problem: string } {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (const character of text) {
    if (quote !== null) {
      if (character === quote) quote = null;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (OF_A_SHELL.test(character)) {
      return { problem: `${character} outside quotes needs a shell` };
    } else word = (word ?? '') + character;
  }
  if (quote !== null) return { problem: `a quote ${quote} is not closed` };
  if (word !== null) words.push(word);
  const [first = ''] = words;
  if (first === '') return { problem: 'it has no words' };
  return ASSIGNMENT.test(first) ? { problem: `write ${first} under environment` } : { words };
}

/** The command for readers, quoted where it must be. */
export const commandText = (words: readonly string[]): string =>
  words.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
