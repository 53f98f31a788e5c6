import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
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

export const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
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
