import { delimiter } from 'node:path';
import { messageOf, stackFailed } from '../errors.ts';
import type { EdgeSettings } from '../scenario/edge.ts';
import { findProgram, namedProgram, outputOf } from '../supervision/program.ts';

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
const VERSION = {
  nginx: /\bversion: [\w-]+\/(\d+(?:\.\d+)+)/i,
  haproxy: /\bhaproxy version (\d+(?:\.\d+)+)/i,
} as const;
const ANSWER_MS = 5_000;

/**
 * The proxy of this host: as its variable says (the program or its folder), or on PATH; null where there is none. Rejects with
 * exit code 93 where there is one that does not run.
 */
export async function lookForEdge(
  program: EdgeSettings['program'],
  env: Environment,
): Promise<EdgeProgram | null> {
  const variable = VARIABLES[program];
  const named = await namedProgram(variable, [program], env);
  const path =
    named ??
    (await findProgram(program, { ...env, PATH: [env.PATH ?? '', ...MORE_FOLDERS].join(delimiter) }));
  if (path === null) return null;
  try {
    // nginx answers on stderr.
    const { stdout, stderr } = await outputOf(path, ['-v'], env, ANSWER_MS);
    const version = VERSION[program].exec(`${stdout}${stderr}`)?.[1];
    if (version === undefined) throw new Error(`"${path} -v" names no version of ${program}`);
    return { path, version };
  } catch (error) {
    throw stackFailed(
      `${program} at ${path} does not run: ${messageOf(error)}`,
      named === null
        ? `install the package ${program} again, or name another program in ${variable}`
        : `correct ${variable}, which names ${program} or its folder, or unset it`,
      error,
    );
  }
}

/** The same. Rejects with exit code 93 where there is none, too, with what brings it. */
export async function findEdge(program: EdgeSettings['program'], env: Environment): Promise<EdgeProgram> {
  const found = await lookForEdge(program, env);
  if (found === null)
    throw stackFailed(
      `${program} is not installed, and the scenario puts it in front of the servers (edge.program)`,
      `install the package ${program} (Debian: apt-get install ${program}; macOS: brew install ${program}), or name the program in ${VARIABLES[program]}`,
    );
  return found;
}
