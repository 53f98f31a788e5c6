import { z } from 'zod';
import type { Reachable } from '../../address/access.ts';
import { stackFailed } from '../../errors.ts';
import { askJson } from '../../stack/health.ts';

const health = z.looseObject({
  status: z.string().max(100),
  world: z.literal('mud'),
  instance: z.int().min(1),
});

/**
 * Asks an instance for its health. Rejects with exit code 93 when there is no answer, or another than that of an instance that
 * takes players; with the signal's reason when aborted.
 */
export async function askHealth(world: Reachable, signal: AbortSignal): Promise<void> {
  const { status, body } = await askJson(world, '/health', signal);
  const parsed = health.safeParse(body);
  if (parsed.success && status === 200) return;
  throw stackFailed(
    `${world.url} answers GET /health with ${status}, but not like a mud server that takes players`,
    'see its log in logs/ of the bundle',
  );
}
