import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { platform } from 'node:os';

/**
 * The processes that belong to a folder: it is in their arguments, in the environment that they were started with,
 * or it is their working directory. Given the temporary directory of one test, these are all processes of its run.
 */
export function processesIn(folder: string): readonly { readonly pid: number; readonly command: string }[] {
  if (platform() !== 'linux') return fromPs(folder);
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => ({
      pid: Number(entry),
      command: read(`/proc/${entry}/cmdline`).replaceAll('\0', ' '),
      known: `${read(`/proc/${entry}/environ`)}\0${workingFolder(entry)}`,
    }))
    .filter(({ command, known }) => command.includes(folder) || known.includes(folder))
    .map(({ pid, command }) => ({ pid, command }));
}

function fromPs(folder: string) {
  return execFileSync('ps', ['-axo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(folder))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line }));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function workingFolder(entry: string): string {
  try {
    return readlinkSync(`/proc/${entry}/cwd`);
  } catch {
    return '';
  }
}
