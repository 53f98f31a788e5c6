import { Agent, request } from 'undici';
import { connectorOptions, type Reachable } from '../address/access.ts';
import { causeOfAnswer, causeOfError } from '../address/connection-cause.ts';
import { CapbenchError, codeOf, stackFailed } from '../errors.ts';
import { timeoutSignal } from '../supervision/time-limit.ts';

const ANSWER_LIMIT_MS = 5_000;
const LARGEST_ANSWER_BYTES = 64 * 2 ** 10;

const START_IT = 'start a server there (capbench serve <scenario> starts one), or correct the address';
const NO_SERVER = "use the base address of a server that speaks the scenario's protocol";

/**
 * A server's answer to `GET <path>`. Rejects with exit code 93 and a message with the URL when there is no answer within
 * 5 s; with the signal's reason when aborted.
 */
export async function askJson({ url, ...access }: Reachable, path: string, signal: AbortSignal) {
  const limit = timeoutSignal(ANSWER_LIMIT_MS);
  let text = '';
  let head: { readonly status: number; readonly location?: string };
  const connect = connectorOptions(access);
  const own = connect === null ? null : new Agent({ connect });
  try {
    const answer = await request(`${url}${path}`, {
      signal: AbortSignal.any([signal, limit]),
      reset: true,
      ...(access.headers === undefined ? {} : { headers: access.headers }),
      ...(own === null ? {} : { dispatcher: own }),
    });
    const location = answer.headers.location?.toString();
    head = { status: answer.statusCode, ...(location === undefined ? {} : { location }) };
    for await (const chunk of answer.body.setEncoding('utf8')) {
      text += chunk;
      if (text.length > LARGEST_ANSWER_BYTES)
        throw new Error(`the answer is longer than ${LARGEST_ANSWER_BYTES} bytes`);
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

/**
 * Asks a reference world's server for its health. Rejects with exit code 93 unless `GET /health` answers 200 with the
 * world's name and the status "ok"; with the signal's reason when aborted.
 */
export async function askWorld(server: Reachable, world: string, signal: AbortSignal): Promise<void> {
  const { url } = server;
  const { status, location, body } = await askJson(server, '/health', signal);
  if (body?.world !== world) {
    const { what } = causeOfAnswer(status, location);
    throw stackFailed(
      `${url} answers GET /health, but not like a server of ${world}: ${status === 200 ? 'it is of another world' : what}`,
      NO_SERVER,
    );
  }
  if (status !== 200 || body.status !== 'ok')
    throw stackFailed(`${url} is still starting`, 'try again when its GET /health answers 200');
}

function unreachable(url: string, late: boolean, error: unknown): CapbenchError {
  if (late) return stackFailed(`${url} did not answer within ${ANSWER_LIMIT_MS / 1e3} s`, START_IT, error);
  const { kind, what, hint } = causeOfError(error);
  if (kind === 'certificate' || kind === 'noTls') return stackFailed(`${url}: ${what}`, hint ?? '', error);
  if (kind === 'refused') return stackFailed(`connection refused at ${url}`, START_IT, error);
  if (kind === 'noHttp' || kind === 'reset')
    return stackFailed(`${url} is not an HTTP server: ${what}`, hint ?? NO_SERVER, error);
  return stackFailed(`${url} cannot be reached: ${what}`, hint ?? START_IT, error);
}

/** Whether a request failed because no server listens at the address. */
export const isRefused = (error: unknown): boolean =>
  error instanceof CapbenchError && codeOf(error.cause) === 'ECONNREFUSED';
