import { expect } from 'vitest';
import { CapbenchError, EXIT } from '../../src/errors.ts';

/** The error with which it is refused as bad input. */
export async function refusalOf(doing: Promise<unknown>): Promise<CapbenchError> {
  const error = await doing.then(
    () => expect.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CapbenchError)) throw error;
  expect(error.exitCode).toBe(EXIT.badInput);
  return error;
}
