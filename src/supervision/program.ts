import { spawn } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { stackFailed } from '../errors.ts';
import { signal } from './process-tree.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const MOST_OUTPUT = 10_000;

/** What a program wrote before it ended with 0. */
export interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** The absolute path of the first program of that name on PATH; null where there is none. */
export async function findProgram(name: string, env: Environment): Promise<string | null> {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    // npx puts this folder on PATH. A package of the same name (k6's is an empty stub) is not the program.
    if (!isAbsolute(folder) || folder.endsWith(join('node_modules', '.bin'))) continue;
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return null;
}

export const isExecutable = async (path: string): Promise<boolean> =>
  !(await isDirectory(path)) &&
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/**
 * The absolute path of the program that a variable names: itself, or its folder. Null where the variable is not set. Rejects
 * with exit code 93 where it names no program.
 * @param names what the program may be called in that folder
 */
export async function namedProgram(
  variable: string,
  names: readonly string[],
  env: Environment,
): Promise<string | null> {
  const named = env[variable];
  if (named === undefined || named === '') return null;
  const at = resolve(named);
  const isFolder = await isDirectory(at);
  for (const path of isFolder ? names.map((name) => join(at, name)) : [at]) {
    if (await isExecutable(path)) return path;
  }
  throw stackFailed(
    `${variable} is ${named}, which ${isFolder ? `has no ${names.join(' and no ')}` : 'is no program that may be executed'}`,
    `correct ${variable}, which names ${names.join(' or ')} or its folder, or unset it`,
  );
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );

/**
 * Asks a program for something short, such as its version. It may be a script around the program: when it does not
 * answer in time, its whole process group is killed. Rejects then, and when it ends with another code than 0.
 */
export function outputOf(
  path: string,
  args: readonly string[],
  env: Environment,
  limitMs: number,
): Promise<ProgramOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      detached: true,
      env: { PATH: env.PATH, HOME: env.HOME },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    const timer = setTimeout(() => {
      if (child.pid !== undefined) signal(-child.pid, 'SIGKILL');
      reject(new Error(`no answer within ${limitMs / 1e3} s`));
    }, limitMs);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < MOST_OUTPUT) output[name] += text;
      });
    }
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (status) => {
      clearTimeout(timer);
      const [reason = ''] = output.stderr.trim().split('\n', 1);
      if (status === 0) resolve(output);
      else reject(new Error(`it ended with ${status}${reason === '' ? '' : `: ${reason.slice(0, 200)}`}`));
    });
  });
}
