import { pathToFileURL } from 'node:url';
import { codeOf, messageOf, stackFailed } from '../../errors.ts';
import type { Close, Connect, NullServer, Perform, Prepare, Session } from '../../player.d.ts';
import type { PlayerModule } from '../fleet/messages.ts';
import { isRecord } from '../json.ts';

const LONGEST_MS = 15_000;

/** For a file that is no player module. The load workers and `prepare` load it in the same way. */
const LOAD_HINT = 'correct the module: `node FILE` loads it alone, and shows the line';
const EXPORTS_HINT =
  'export what a player module must have: connect and perform; close, prepare and nullServer if they are needed';
const PACKAGE_HINT = 'install the package in the folder of the module (npm install), or correct the import';

/** The exports of a user's player module. */
export interface LoadedModule {
  readonly name: string;
  readonly connect: Connect;
  readonly perform: Perform;
  readonly close: Close | null;
  /** Prepares the run, once. */
  readonly prepare: Prepare | null;
  /** The module's null server for calibration. */
  readonly nullServer: NullServer | null;
}

/** The message of a foreign error in one line. */
export function oneLine(thrown: unknown): string {
  let text: string;
  try {
    text = messageOf(thrown);
  } catch {
    // A module may throw a value whose conversion to text throws.
    text = '';
  }
  const [first = ''] = text.trim().split('\n');
  return first.length > 200 ? `${first.slice(0, 200)}..` : first || 'no reason given';
}

/** @throws CapbenchError 93 that names the module, what is wrong with it and what to do */
export async function loadModule({ path, name }: PlayerModule): Promise<LoadedModule> {
  const wrong = (what: string, hint = EXPORTS_HINT): Error =>
    stackFailed(`the player module ${name} ${what}`, hint);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          wrong(`was not loaded within ${LONGEST_MS / 1e3} s: a top-level await does not resolve`, LOAD_HINT),
        ),
      LONGEST_MS,
    );
  });
  const loading: Promise<unknown> = import(pathToFileURL(path).href).catch((thrown: unknown) => {
    const isMissing = codeOf(thrown) === 'ERR_MODULE_NOT_FOUND';
    throw wrong(`could not be loaded: ${oneLine(thrown)}`, isMissing ? PACKAGE_HINT : LOAD_HINT);
  });
  let loaded: unknown;
  try {
    loaded = await Promise.race([loading, late]);
  } finally {
    clearTimeout(timer);
  }
  if (!isRecord(loaded)) throw wrong('exports nothing');
  const { connect, perform, close, prepare, nullServer } = loaded;
  if (!isFunction<Connect>(connect)) throw wrong('exports no function connect(context)');
  if (!isFunction<Perform>(perform)) throw wrong('exports no function perform(session, operation, context)');
  if (close !== undefined && !isFunction<Close>(close)) throw wrong('exports a close that is not a function');
  if (prepare !== undefined && !isFunction<Prepare>(prepare))
    throw wrong('exports a prepare that is not a function');
  if (nullServer !== undefined && !isFunction<NullServer>(nullServer)) {
    throw wrong('exports a nullServer that is not a function');
  }
  return {
    ...{ name, connect, perform, close: close ?? null },
    ...{ prepare: prepare ?? null, nullServer: nullServer ?? null },
  };
}

const isFunction = <F>(value: unknown): value is F => typeof value === 'function';

/** Numbers are counted on from here, one by one: as many again stay exact. */
const LARGEST_LAST = 2 ** 52;

/**
 * The last sequence number that the session's server knows; null if the session has none.
 * @throws an Error that says what is wrong with it
 */
export function lastNumberOf(session: Session | null | undefined): number | null {
  const { lastNumber } = session ?? {};
  if (lastNumber === undefined || lastNumber === null) return null;
  if (Number.isInteger(lastNumber) && lastNumber >= 0 && lastNumber <= LARGEST_LAST) return lastNumber;
  throw new Error(
    `got ${typeof lastNumber === 'number' ? lastNumber : `a ${typeof lastNumber}`} as the session's lastNumber, expected a whole number of 0 to 2^52`,
  );
}
