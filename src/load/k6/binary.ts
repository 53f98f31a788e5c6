import { isAbsolute } from 'node:path';
import { messageOf, stackFailed } from '../../errors.ts';
import { findProgram, isExecutable, outputOf } from '../../supervision/program.ts';

/** The first one whose `k6/websockets` the script can import. */
const LEAST_MAJOR = 2;
const VERSION_LIMIT_MS = 20_000;

const HOW_TO_INSTALL =
  'install k6 2.x (https://grafana.com/docs/k6/latest/set-up/install-k6/; or with Go, in fixtures/k6 of a clone of capbench: go build -o k6 go.k6.io/k6/v2), put it on PATH, or name it with CAPBENCH_K6';

export interface K6Binary {
  readonly path: string;
  /** `2.2.0` */
  readonly version: string;
}

/**
 * The k6 that `CAPBENCH_K6` names, or the first one on PATH.
 * @throws CapbenchError (93) with how to install it when there is none, or it is too old
 */
export async function findK6(
  env: Readonly<Record<string, string | undefined>>,
  limitMs = VERSION_LIMIT_MS,
): Promise<K6Binary> {
  const path = await locate(env);
  let output: string;
  try {
    output = (await outputOf(path, ['version'], env, limitMs)).stdout;
  } catch (thrown) {
    throw stackFailed(`${path} does not report its version: ${messageOf(thrown)}`, HOW_TO_INSTALL, thrown);
  }
  const version = /\bv?(\d+)\.(\d+)\.(\d+)\S*/.exec(output);
  if (version === null || Number(version[1]) < LEAST_MAJOR) {
    const reported = output.split('\n', 1)[0]?.slice(0, 100) ?? '';
    throw stackFailed(
      `${path} is no k6 of version ${LEAST_MAJOR} or newer: it reports "${reported}"`,
      HOW_TO_INSTALL,
    );
  }
  return { path, version: version[0].replace(/^v/, '') };
}

async function locate(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const named = env.CAPBENCH_K6;
  if (named !== undefined && named !== '') {
    if (isAbsolute(named) && (await isExecutable(named))) return named;
    throw stackFailed(
      `CAPBENCH_K6: ${named} is not a program: expected the absolute path of k6`,
      HOW_TO_INSTALL,
    );
  }
  const path = await findProgram('k6', env);
  if (path === null) throw stackFailed('there is no k6 on PATH', HOW_TO_INSTALL);
  return path;
}
