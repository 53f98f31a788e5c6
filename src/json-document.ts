import type { z } from 'zod';
import { badInput, messageOf } from './errors.ts';

/** The value in a JSON file that capbench wrote. @throws CapbenchError (104) that names the file: no UTF-8, or no JSON */
export function jsonIn(content: string | Uint8Array, source: string, hint?: string): unknown {
  try {
    const isText = typeof content === 'string';
    return JSON.parse(isText ? content : new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (thrown) {
    throw badInput(`${source} is broken: ${messageOf(thrown)}`, hint);
  }
}

/** A JSON document as capbench writes it: indented, with a newline at the end. */
export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** `steps.3.players: Too small`: the first place that is not as the schema says. */
export function issueOf({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.join('.') || 'the file'}: ${issue?.message}`;
}

/**
 * Reads a JSON file that capbench wrote.
 * @throws CapbenchError (104) that names the file, the place in it, and what was expected
 */
export function readDocument<S extends z.ZodType>(
  schema: S,
  content: string | Uint8Array,
  source: string,
  hint: string,
): z.output<S> {
  const parsed = schema.safeParse(jsonIn(content, source, hint));
  if (!parsed.success) throw badInput(`${source} is broken: ${issueOf(parsed.error)}`, hint);
  return parsed.data;
}
