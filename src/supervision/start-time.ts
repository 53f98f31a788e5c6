import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { platform } from 'node:os';

/**
 * When a process was started, as an opaque text, so that a reused pid is told from the process that had it
 * before. Null when there is no such process, or only what is left of it until its parent notices.
 * Linux: field 22 of /proc/<pid>/stat, in clock ticks after the boot. Elsewhere: `ps -o lstart=`, in seconds.
 */
export function startTime(pid: number): string | null {
  return platform() === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The second field is the command's name in parentheses, which may hold blanks and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return isDead(fields[0]) ? null : (fields[19] ?? null);
}

function fromPs(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [state, ...started] = line.split(/\s+/);
    return isDead(state) ? null : started.join(' ');
  } catch {
    return null;
  }
}

const isDead = (state: string | undefined): boolean => state === undefined || /^[ZXx]/.test(state);
