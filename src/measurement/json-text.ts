/** The tokens that decide where strings and objects begin and end. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g;

/**
 * The first duplicate key in an object of a JSON text, and its line, from 1; null when there is none. JSON.parse silently
 * takes the last one. The text must be valid JSON.
 */
export function findDoubleKey(text: string): { readonly key: string; readonly line: number } | null {
  /** The keys of every open object; null for an array. */
  const open: (Set<string> | null)[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (isKey(text, index + token.length)) {
      const keys = open.at(-1);
      const key: string = JSON.parse(token);
      if (keys?.has(key)) return { key, line: text.slice(0, index).split('\n').length };
      keys?.add(key);
    }
  }
  return null;
}

/** Whether a colon follows. */
function isKey(text: string, end: number): boolean {
  for (let at = end; at < text.length; at++) {
    const character = text[at];
    if (character === ':') return true;
    if (character !== ' ' && character !== '\n' && character !== '\r' && character !== '\t') return false;
  }
  return false;
}
