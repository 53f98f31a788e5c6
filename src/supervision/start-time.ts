import { execFileSync } from 'node:child_process';
import { platform } from 'node:os';
import { readProcess } from './proc.ts';

/**
 * When a process was started, as an opaque text, so that a reused pid is told from the process that had it
 * before. Null when there is no such process, or only what is left of it until its parent notices.
 * Linux: field 22 of /proc/<pid>/stat, in clock ticks after the boot. Elsewhere: `ps -o lstart=`, in seconds.
 */
export function startTime(pid: number): string | null {
  return platform() === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): string | null {
  const found = readProcess(pid);
  return found === null || isDead(found.state) ? null : String(found.started);
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
