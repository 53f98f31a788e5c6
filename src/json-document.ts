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

/** `steps.3.players: Too small`: the first place that is not as the schema says. */
export function issueOf({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.join('.') || 'the file'}: ${issue?.message}`;
}
