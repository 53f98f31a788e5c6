import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT } from '../errors.ts';
import { unwritable } from '../measurement/bundle.ts';
import type { EarlierAttempt } from '../measurement/earlier-attempts.ts';
import type { Published } from './publish.ts';
import type { RunPlace } from './single-run.ts';

/** `--retry-invalid N`: no more than this. */
export const MOST_RETRIES = 20;

/** In the bundle of the attempt that decides: those before it. */
const FOLDER = 'attempts';

/** How a run is made again. */
export interface AttemptPlan {
  /** So often at most. */
  readonly retries: number;
  readonly say: (text: string) => void;
}

/**
 * One run into its bundle, made again while it has no conclusion (90): no other verdict is tried twice, since that would be
 * the best of several. The last attempt decides; each before it is kept in a folder of its own within the bundle, and counted
 * in the report.
 */
export async function runAttempts(
  first: RunPlace,
  { retries, say }: AttemptPlan,
  runOne: (attempt: RunPlace) => Promise<Published>,
): Promise<Published> {
  const earlierAttempts: EarlierAttempt[] = [];
  for (let attempt = first; ; ) {
    const isLast = earlierAttempts.length >= retries;
    // Another one may follow, which a stop signal has to prevent.
    const published = await runOne(isLast ? attempt : { ...attempt, complete: () => {} });
    const { exitCode, headline, invalidBecause } = published.report;
    if (exitCode !== EXIT.invalid || isLast || first.stop.aborted) return published;
    const number = earlierAttempts.length + 1;
    const bundle = join(FOLDER, String(number));
    await setAside(first.bundle, bundle);
    const because = invalidBecause[0] ?? headline;
    earlierAttempts.push({ bundle, because });
    say(
      `attempt ${number} of at most ${retries + 1} has no conclusion, is kept in ${bundle}, and is made again: ${because}`,
    );
    attempt = { ...first, startedAt: new Date(), earlierAttempts: [...earlierAttempts] };
  }
}

/** Moves what an attempt left into a folder of its own. */
async function setAside(bundle: string, name: string): Promise<void> {
  const folder = join(bundle, name);
  try {
    await mkdir(folder, { recursive: true });
    for (const entry of await readdir(bundle))
      if (entry !== FOLDER) await rename(join(bundle, entry), join(folder, entry));
  } catch (error) {
    throw unwritable(folder, error);
  }
}
