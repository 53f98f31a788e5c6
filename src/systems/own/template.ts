/** A name in braces: `{player}`, `{env.GAME_TOKEN}`; in two pairs of braces it stands for itself in one: `{{name}}`. */
const NAME = /\{\{(?<itself>[A-Za-z_][\w.-]*)\}\}|\{(?<name>[A-Za-z_][\w.-]*)\}/g;
/** The same in JSON, where a whole value `"{id}"` or `"{player}"` is a number. The key of a map is none. */
const IN_JSON = new RegExp(`"\\{(?<number>id|player)\\}"(?!:)|${NAME.source}`, 'g');

export const namesIn = (text: string): readonly string[] =>
  [...text.matchAll(NAME)].flatMap(({ groups }) => groups?.name ?? []);

/** A text for the operation of a player, who is numbered from 0 within the worker. HOT. */
export type Fill = (player: number, sequence: number) => string;

/** The value of each name, as text. */
export type ValueOf = (name: string) => Fill;

/** Fills the names of a text with values, each encoded. */
export const textFill = (text: string, valuesOf: ValueOf, encode = (value: string): string => value): Fill =>
  fill(text, NAME, ({ name = '' }) => encoded(valuesOf(name), encode));

/** Fills the names of a path with values, and makes it one of ASCII, as a URL has it. What is encoded already stays. */
export const pathFill = (text: string, valuesOf: ValueOf): Fill =>
  fill(text, NAME, ({ name = '' }) => encoded(valuesOf(name), encodeURIComponent), ofUrl);

/** Half of a pair of code units has no encoding. */
const ofUrl = (text: string): string =>
  text.replaceAll(/\p{Surrogate}/gu, '\ufffd').replaceAll(/[^\x21-\x7e]+|["<>^`{|}]/g, encodeURIComponent);

/** Fills the names in a JSON value; the result is ASCII. */
export const jsonFill = (value: unknown, valuesOf: ValueOf): Fill =>
  fill(ascii(JSON.stringify(value)), IN_JSON, ({ number, name = '' }) =>
    number === undefined ? encoded(valuesOf(name), jsonText) : valuesOf(number),
  );

/** Fills the names of a text that is JSON then. */
export const jsonTextFill = (text: string, valuesOf: ValueOf): Fill => textFill(text, valuesOf, jsonText);

/** Whether a text is JSON once its names are filled. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text.replaceAll(NAME, '0'));
    return true;
  } catch {
    return false;
  }
}

const encoded =
  (value: Fill, encode: (value: string) => string): Fill =>
  (player, sequence) =>
    encode(value(player, sequence));

function fill(
  text: string,
  names: RegExp,
  partOf: (groups: Readonly<Partial<Record<string, string>>>) => Fill,
  between = (part: string): string => part,
): Fill {
  const before: string[] = [];
  const parts: Fill[] = [];
  let literal = '';
  let from = 0;
  for (const { index, 0: match, groups = {} } of text.matchAll(names)) {
    literal += text.slice(from, index);
    from = index + match.length;
    if (groups.itself !== undefined) {
      literal += `{${groups.itself}}`;
      continue;
    }
    before.push(between(literal));
    parts.push(partOf(groups));
    literal = '';
  }
  const last = between(literal + text.slice(from));
  if (parts.length === 0) return () => last;
  return (player, sequence) => {
    let filled = '';
    for (let i = 0; i < parts.length; i++) filled += before[i]! + parts[i]!(player, sequence);
    return filled + last;
  };
}

/** Between double quotes. */
const jsonText = (value: string): string => ascii(JSON.stringify(value)).slice(1, -1);

/** JSON in ASCII, since frames are sent as latin1. */
const ascii = (json: string): string =>
  json.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
