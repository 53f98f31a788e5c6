import { access, constants } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { messageOf, stackFailed } from '../errors.ts';
import type { EdgeSettings } from '../scenario/edge.ts';
import { findProgram, outputOf } from '../supervision/program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** An edge proxy that is installed here. */
export interface EdgeProgram {
  readonly path: string;
  /** `1.22.1` */
  readonly version: string;
}

/** Distributions put servers where the PATH of an ordinary user does not look. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];
const VARIABLES = { nginx: 'CAPBENCH_NGINX_BIN', haproxy: 'CAPBENCH_HAPROXY_BIN' } as const;
const ANSWER_MS = 5_000;

/** The program's path: as its variable says, or on PATH. Null where there is none. */
export async function findEdgeProgram(
  program: EdgeSettings['program'],
  env: Environment,
): Promise<string | null> {
  const named = env[VARIABLES[program]];
  if (named) return named;
  return findProgram(program, { ...env, PATH: [env.PATH ?? '', ...MORE_FOLDERS].join(delimiter) });
}

/** @throws CapbenchError (93) where it is not installed or does not run, with what brings it */
export async function edgeProgram(program: EdgeSettings['program'], env: Environment): Promise<EdgeProgram> {
  const variable = VARIABLES[program];
  const path = await findEdgeProgram(program, env);
  if (path === null)
    throw stackFailed(
      `${program} is not installed, and the scenario puts it in front of the servers (edge.program)`,
      `install the package ${program} (Debian: apt-get install ${program}; macOS: brew install ${program}), or name the program in ${variable}`,
    );
  try {
    await access(path, constants.X_OK);
    // nginx answers on stderr.
    const { stdout, stderr } = await outputOf(path, ['-v'], env, ANSWER_MS);
    const version = /\bversion:? (?:nginx\/|openresty\/)?(\d+(?:\.\d+)+)/i.exec(`${stdout}${stderr}`)?.[1];
    if (version === undefined) throw new Error(`"${path} -v" names no version`);
    return { path, version };
  } catch (error) {
    throw stackFailed(
      `${program} at ${path} does not run: ${messageOf(error)}`,
      `install the package ${program} again, or name another program in ${variable}`,
      error,
    );
  }
}
