/** A key that stands twice in one object of a text that JSON.parse reads: it takes the last, and says nothing. */
export interface DoubleKey {
  readonly key: string;
  /** From 1. */
  readonly line: number;
}

/** What decides where strings and objects begin and end; everything else is passed over. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g;

/** The first key of a JSON text that is there twice; null when there is none. The text must be JSON. */
export function findDoubleKey(text: string): DoubleKey | null {
  /** The keys of every open object; null for an array. */
  const open: (Set<string> | null)[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (isKey(text, index + token.length)) {
      const keys = open.at(-1);
      const key: string = JSON.parse(token);
      if (keys?.has(key)) return { key, line: lineOf(text, index) };
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

function lineOf(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
