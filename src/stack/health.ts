import { Agent, request } from 'undici';
import { z } from 'zod';
import { connectorOptions, type Reachable } from '../address/access.ts';
import { causeOfAnswer, causeOfError } from '../address/connection-cause.ts';
import { CapbenchError, stackFailed } from '../errors.ts';
import type { WorldHealth } from './stack.ts';

/** The version of the world protocol that this capbench speaks. */
export const WORLD_PROTOCOL = 1;
const ANSWER_LIMIT_MS = 5_000;
const LARGEST_ANSWER_BYTES = 64 * 2 ** 10;
/** More world servers than one world has: each is looked for. */
const MOST_INSTANCES = 1_000;

const count = z.int().min(0);
const range = z.object({ from: count, to: count });
const health: z.ZodType<WorldHealth> = z
  .object({
    status: z.enum(['ok', 'starting']),
    world: z.string().max(100),
    protocol: z.int(),
    instance: z.int().min(1),
    instances: z.int().min(1).max(MOST_INSTANCES),
    playersTotal: count,
    monstersTotal: count,
    players: range,
    monsters: range,
    rowShape: z.string().max(100),
  })
  .refine(({ instance, instances }) => instance <= instances, {
    path: ['instance'],
    error: 'above instances',
  });

const START_IT = 'start it there (capbench serve <scenario> starts one), or correct the address';
const NO_WORLD = 'give the base address of a world server that speaks the protocol of the README';

/**
 * What a world server says of itself. Rejects with exit code 93 and a sentence that names the
 * URL when nobody answers within 5 s, or somebody who is no world server of this protocol, or one that is
 * still starting; with the signal's reason when aborted.
 */
export async function askHealth(world: Reachable, signal: AbortSignal): Promise<WorldHealth> {
  const { url } = world;
  const { status, location, body } = await ask(world, signal);
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

async function ask(
  { url, ...access }: Reachable,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly location?: string; readonly body: unknown }> {
  const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
  let text = '';
  let head: { readonly status: number; readonly location?: string };
  const connect = connectorOptions(access);
  const own = connect === null ? null : new Agent({ connect });
  try {
    const answer = await request(`${url}/health`, {
      signal: AbortSignal.any([signal, limit]),
      reset: true,
      ...(access.headers === undefined ? {} : { headers: access.headers }),
      ...(own === null ? {} : { dispatcher: own }),
    });
    const { location } = answer.headers;
    head = {
      status: answer.statusCode,
      ...(location === undefined ? {} : { location: location.toString() }),
    };
    for await (const chunk of answer.body.setEncoding('utf8')) {
      text += chunk;
      if (text.length > LARGEST_ANSWER_BYTES) throw new Error('the answer has no end');
    }
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(url, limit.aborted, error);
  } finally {
    void own?.destroy();
  }
  try {
    return { ...head, body: JSON.parse(text) };
  } catch {
    return { ...head, body: null };
  }
}

function unreachable(url: string, late: boolean, error: unknown): CapbenchError {
  if (late) return stackFailed(`${url} does not answer within ${ANSWER_LIMIT_MS / 1e3} s`, START_IT, error);
  const { kind, what, hint } = causeOfError(error);
  if (kind === 'certificate' || kind === 'noTls') return stackFailed(`${url}: ${what}`, hint ?? '', error);
  if (kind === 'nobody') return stackFailed(`nobody listens at ${url}`, START_IT, error);
  if (kind === 'noHttp' || kind === 'reset')
    return stackFailed(`${url} is no HTTP server: ${what}`, hint ?? NO_WORLD, error);
  return stackFailed(`${url} cannot be reached: ${what}`, hint ?? START_IT, error);
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** Whether askHealth rejected because no server has this address. */
export const isNobodyThere = (error: unknown): boolean =>
  error instanceof CapbenchError && codeOf(error.cause) === 'ECONNREFUSED';

function describe(error: z.ZodError): string {
  const [first] = error.issues;
  if (first === undefined) return 'the answer is not what was expected';
  const where = first.path.join('.');
  return where === '' ? 'the answer is no JSON object' : `${where}: ${first.message}`;
}
