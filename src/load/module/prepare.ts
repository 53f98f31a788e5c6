import { monotonic } from '../../clock.ts';
import { stackFailed } from '../../errors.ts';
import type { Preparation, WorkerSetup } from '../fleet/messages.ts';
import { loadModule, oneLine } from './module-file.ts';

/** A worker gets as much. */
const LARGEST_RESULT = 2 ** 20;
const HINT = 'correct its prepare, which runs once before the players connect; see logs/prepare.log';

/**
 * Runs the `prepare` of the user's module; null where it has none.
 * @throws CapbenchError 93 that says what is wrong with the module, or with it
 */
export async function prepareRun(
  {
    module,
    workload: { players },
    worlds,
    inputs,
  }: Pick<WorkerSetup, 'module' | 'workload' | 'worlds' | 'inputs'>,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Preparation | null> {
  if (module === null) return null;
  const { prepare } = await loadModule(module);
  const wrong = (what: string): Error =>
    stackFailed(`the player module ${module.name}: prepare ${what}`, HINT);
  if (prepare === null) return null;
  const begin = monotonic();
  let returned: unknown;
  try {
    returned = await prepare({
      ...{ players, urls: worlds.map(({ url }) => url), headers: { ...worlds[0]?.headers } },
      env: Object.freeze({ ...inputs.environment }),
      ...{ signal, log: (message: string) => log(String(message)) },
    });
  } catch (thrown) {
    throw wrong(`failed: ${oneLine(thrown)}`);
  }
  const tookMs = (monotonic() - begin) / 1e3;
  return { result: jsonOf(returned, wrong), tookMs };
}

function jsonOf(returned: unknown, wrong: (what: string) => Error): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(returned ?? null);
  } catch (thrown) {
    throw wrong(`returned what JSON cannot hold: ${oneLine(thrown)}`);
  }
  if (text === undefined) throw wrong(`returned a ${typeof returned}, expected what JSON can hold`);
  const bytes = Buffer.byteLength(text);
  if (bytes > LARGEST_RESULT)
    throw wrong(`returned ${bytes} bytes of JSON, expected at most ${LARGEST_RESULT}`);
  return text;
}

/** What `prepare` returned, for the players of a worker, who share it. */
export const preparedOf = ({ prepared }: Pick<WorkerSetup, 'prepared'>): unknown =>
  prepared === undefined || prepared === null ? null : frozen(JSON.parse(prepared));

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
}
