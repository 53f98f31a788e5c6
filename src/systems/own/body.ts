import { type Fill, isJson, jsonFill, jsonTextFill, textFill, type ValueOf } from './template.ts';

/** The body of a request, and its Content-Type. */
export interface Body {
  readonly text: Fill;
  readonly type: string;
}

/** The body of a request that has a form, or a body: a text, or what is sent as JSON. Null without one. */
export function bodyFill(
  { body, form }: { readonly body?: unknown; readonly form?: Readonly<Record<string, string>> | undefined },
  valuesOf: ValueOf,
): Body | null {
  if (form !== undefined) {
    const fields = Object.entries(form).map(
      ([name, text]) => [encodeURIComponent(name), textFill(text, valuesOf)] as const,
    );
    return {
      text: (player, sequence) =>
        fields.map(([name, fill]) => `${name}=${encodeURIComponent(fill(player, sequence))}`).join('&'),
      type: 'application/x-www-form-urlencoded',
    };
  }
  if (body === undefined) return null;
  if (typeof body !== 'string') return { text: jsonFill(body, valuesOf), type: 'application/json' };
  return isJson(body)
    ? { text: jsonTextFill(body, valuesOf), type: 'application/json' }
    : { text: textFill(body, valuesOf), type: 'text/plain; charset=utf-8' };
}
