import { z } from 'zod';
import type { Reachable } from '../../address/access.ts';
import { causeOfAnswer } from '../../address/connection-cause.ts';
import { stackFailed } from '../../errors.ts';
import { askJson } from '../../stack/health.ts';

/** The supported version of the world protocol. */
const WORLD_PROTOCOL = 1;
/** More instances than a real world has; bounds the search for missing ones. */
const MOST_INSTANCES = 1_000;

const count = z.int().min(0);
const range = z.object({ from: count, to: count });
const health = z
  .object({
    status: z.enum(['ok', 'starting']),
    world: z.string().max(100),
    protocol: z.int(),
    /** 1-based. */
    instance: z.int().min(1),
    instances: z.int().min(1).max(MOST_INSTANCES),
    /** All entities of the whole world, over all instances. Players have the ids 0 .. playersTotal-1, monsters follow. */
    playersTotal: count,
    monstersTotal: count,
    /** The entities this instance owns. */
    players: range,
    monsters: range,
    rowShape: z.string().max(100),
  })
  .refine(({ instance, instances }) => instance <= instances, {
    path: ['instance'],
    error: 'above instances',
  });

/** The answer of a world server to `GET /health`. Ranges are half-open, of entity ids. */
export type WorldHealth = z.infer<typeof health>;

const NO_WORLD =
  'give the base address of a world server that speaks the protocol of src/systems/flux/README.md';

/**
 * Asks a world server for its health. Rejects with exit code 93 when there is no answer within 5 s, the server does not
 * speak this protocol, or it is still starting; with the signal's reason when aborted.
 */
export async function askHealth(world: Reachable, signal: AbortSignal): Promise<WorldHealth> {
  const { url } = world;
  const { status, location, body } = await askJson(world, '/health', signal);
  const parsed = health.safeParse(body);
  if (!parsed.success) {
    const cause = causeOfAnswer(status, location);
    throw stackFailed(
      `${url} answers GET /health, but not like a world server: ${status === 200 ? describe(parsed.error) : cause.what}`,
      status === 200 ? NO_WORLD : (cause.hint ?? NO_WORLD),
    );
  }
  if (parsed.data.protocol !== WORLD_PROTOCOL) {
    throw stackFailed(
      `${url} uses version ${parsed.data.protocol} of the world protocol, expected version ${WORLD_PROTOCOL}`,
      'use capbench and world servers of the same release',
    );
  }
  if (status !== 200 || parsed.data.status !== 'ok')
    throw stackFailed(`${url} is still starting`, 'try again when its GET /health answers 200');
  return parsed.data;
}

function describe(error: z.ZodError): string {
  const [first] = error.issues;
  if (first === undefined) return 'the answer is not what was expected';
  const where = first.path.join('.');
  return where === '' ? 'the answer is not a JSON object' : `${where}: ${first.message}`;
}
