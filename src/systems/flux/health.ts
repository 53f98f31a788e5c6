import { z } from 'zod';
import type { Reachable } from '../../address/access.ts';
import { causeOfAnswer } from '../../address/connection-cause.ts';
import { stackFailed } from '../../errors.ts';
import { askJson } from '../../stack/health.ts';

/** The version of the world protocol that this capbench speaks. */
const WORLD_PROTOCOL = 1;
/** More world servers than one world has: each is looked for. */
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

/** What a world server says of itself at `GET /health`. Ranges are half-open, of entity ids. */
export type WorldHealth = z.infer<typeof health>;

const NO_WORLD =
  'give the base address of a world server that speaks the protocol of src/systems/flux/README.md';

/**
 * What a world server says of itself. Rejects with exit code 93 and a sentence that names the
 * URL when nobody answers within 5 s, or somebody who is no world server of this protocol, or one that is
 * still starting; with the signal's reason when aborted.
 */
export async function askHealth(world: Reachable, signal: AbortSignal): Promise<WorldHealth> {
  const { url } = world;
  const { status, location, body } = await askJson(world, '/health', signal);
  const said = health.safeParse(body);
  if (!said.success) {
    const cause = causeOfAnswer(status, location);
    throw stackFailed(
      `${url} answers GET /health, but not as a world server does: ${status === 200 ? describe(said.error) : cause.what}`,
      status === 200 ? NO_WORLD : (cause.hint ?? NO_WORLD),
    );
  }
  if (said.data.protocol !== WORLD_PROTOCOL) {
    throw stackFailed(
      `${url} speaks version ${said.data.protocol} of the world protocol, and this capbench version ${WORLD_PROTOCOL}`,
      'use the capbench and the world server of one release',
    );
  }
  if (status !== 200 || said.data.status !== 'ok')
    throw stackFailed(`${url} is still starting`, 'try again when its GET /health answers 200');
  return said.data;
}

function describe(error: z.ZodError): string {
  const [first] = error.issues;
  if (first === undefined) return 'the answer is not what was expected';
  const where = first.path.join('.');
  return where === '' ? 'the answer is no JSON object' : `${where}: ${first.message}`;
}
