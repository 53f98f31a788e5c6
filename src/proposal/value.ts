/** What an expression that only running it could tell stands for. */
export class Unknown {
  readonly source: string;
  readonly line: number;

  constructor(source: string, line: number) {
    this.source = source;
    this.line = line;
  }
}

export type Value =
  | string
  | number
  | boolean
  | null
  | Unknown
  | readonly Value[]
  | { readonly [key: string]: Value };

export const isMap = (value: Value | undefined): value is { readonly [key: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Unknown);

/** Stands in a text for a part that is not known. */
export const HOLE = '\u0000';

/** The key of what is spread into a map, or has a key, that is not known: a list. */
export const REST = '...';

/** A value inside a text. */
export const textIn = (value: Value): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : HOLE;

/** As JSON, in which what is not known is the number of the player. */
export function jsonOf(value: Value): string {
  const plain = (one: Value): unknown => {
    if (one instanceof Unknown) return '{player}';
    if (typeof one === 'string') return one.replaceAll(HOLE, '{player}');
    if (Array.isArray(one)) return one.map(plain);
    return isMap(one)
      ? Object.fromEntries(
          Object.entries(one).flatMap(([key, of]) => (key === REST ? [] : [[key, plain(of)]])),
        )
      : one;
  };
  return JSON.stringify(plain(value));
}

/** Whether a part of a value is not known. */
export const hasHole = (value: Value | undefined): boolean =>
  value instanceof Unknown ||
  (typeof value === 'string' && value.includes(HOLE)) ||
  (Array.isArray(value) && value.some(hasHole)) ||
  (isMap(value) && Object.values(value).some(hasHole));

/** Keys and values of a map, as far as they are known. */
export const entriesOf = (value: Value | undefined): readonly (readonly [string, Value])[] =>
  isMap(value) ? Object.entries(value).filter(([key]) => key !== REST) : [];

/** What maps inside of a value have, and is not known. */
export function restOf(value: Value): readonly Unknown[] {
  if (value instanceof Unknown) return [];
  if (Array.isArray(value)) return value.flatMap(restOf);
  if (!isMap(value)) return [];
  const rest = Array.isArray(value[REST]) ? value[REST] : [];
  return [
    ...rest.filter((one) => one instanceof Unknown),
    ...entriesOf(value).flatMap(([, one]) => restOf(one)),
  ];
}

/** A JavaScript expression of plain data, in which `{player}` is the number of the player. */
export function dataOf(value: Value): string {
  if (typeof value === 'string') {
    const text = value.replaceAll(HOLE, '{player}');
    return `${JSON.stringify(text)}${text.includes('{player}') ? ".replaceAll('{player}', String(context.player))" : ''}`;
  }
  const json = jsonOf(value);
  return json.includes('{player}')
    ? `JSON.parse(${JSON.stringify(json)}.replaceAll('{player}', String(context.player)))`
    : json;
}

/** The body of a request, in which what is not known is `{player}`; null without one. */
export const bodyOf = (body: Value | undefined): string | null =>
  body === undefined || body === null
    ? null
    : typeof body === 'string'
      ? body.replaceAll(HOLE, '{player}')
      : jsonOf(body);
