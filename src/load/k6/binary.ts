import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { messageOf, stackFailed } from '../../errors.ts';
import { signal } from '../../supervision/process-tree.ts';

/** The first one whose `k6/websockets` the script can import. */
const LEAST_MAJOR = 2;
const VERSION_LIMIT_MS = 20_000;
const MOST_OUTPUT = 10_000;

const HOW_TO_INSTALL =
  'install k6 2.x (https://grafana.com/docs/k6/latest/set-up/install-k6/; where Go is: go build -o k6 go.k6.io/k6/v2 in fixtures/k6 of a clone of capbench), put it on PATH, or name it with CAPBENCH_K6';

export interface K6Binary {
  readonly path: string;
  /** `2.2.0` */
  readonly version: string;
}

/**
 * The k6 that `CAPBENCH_K6` names, or the first one on PATH.
 * @throws CapbenchError (93) with how to install it when there is none, or it is too old
 */
export async function findK6(env: Readonly<Record<string, string | undefined>>): Promise<K6Binary> {
  const path = await locate(env);
  let output: string;
  try {
    output = await versionOf(path, env);
  } catch (thrown) {
    throw stackFailed(`${path} does not tell its version: ${messageOf(thrown)}`, HOW_TO_INSTALL, thrown);
  }
  const version = /\bv?(\d+)\.(\d+)\.(\d+)\S*/.exec(output);
  if (version === null || Number(version[1]) < LEAST_MAJOR) {
    const said = output.split('\n', 1)[0]?.slice(0, 100) ?? '';
    throw stackFailed(
      `${path} is no k6 of version ${LEAST_MAJOR} or newer: it says "${said}"`,
      HOW_TO_INSTALL,
    );
  }
  return { path, version: version[0].replace(/^v/, '') };
}

/** What `k6 version` says. It may be a script around k6: what does not answer ends with all that it started. */
function versionOf(path: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, ['version'], {
      detached: true,
      env: { PATH: env.PATH, HOME: env.HOME },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    const timer = setTimeout(() => {
      if (child.pid !== undefined) signal(-child.pid, 'SIGKILL');
      reject(new Error(`no answer within ${VERSION_LIMIT_MS / 1e3} s`));
    }, VERSION_LIMIT_MS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < MOST_OUTPUT) output += text;
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (status) => {
      clearTimeout(timer);
      if (status === 0) resolve(output);
      else reject(new Error(`it ended with ${status}`));
    });
  });
}

async function locate(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const named = env.CAPBENCH_K6;
  if (named !== undefined && named !== '') {
    if (isAbsolute(named) && (await isExecutable(named))) return named;
    throw stackFailed(
      `CAPBENCH_K6: ${named} is no program, expected the absolute path of k6`,
      HOW_TO_INSTALL,
    );
  }
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    // The npm package of that name is an empty stub, and its link in node_modules/.bin no k6.
    if (!isAbsolute(folder) || folder.endsWith(join('node_modules', '.bin'))) continue;
    const path = join(folder, 'k6');
    if (await isExecutable(path)) return path;
  }
  throw stackFailed('there is no k6 on PATH', HOW_TO_INSTALL);
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
