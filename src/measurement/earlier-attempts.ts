import { z } from 'zod';
import { counted } from '../units.ts';

/** An attempt at the same run that had no conclusion, for which it was made again (`--retry-invalid`). */
export const earlierAttemptSchema = z.object({
  bundle: z.string().max(1000).describe('Its folder, in that of this run.'),
  because: z.string().max(100_000).describe('Why it had none.'),
});
export type EarlierAttempt = Readonly<z.output<typeof earlierAttemptSchema>>;

/** `attempt 3, the 2 before it without a conclusion`; null of a first attempt. */
export function attemptText(earlier: readonly EarlierAttempt[] = []): string | null {
  if (earlier.length === 0) return null;
  const before = earlier.length === 1 ? 'the first' : `the ${counted(earlier.length, 'attempt')} before it`;
  return `attempt ${earlier.length + 1}, ${before} without a conclusion`;
}
