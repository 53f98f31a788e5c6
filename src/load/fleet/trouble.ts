import { stackFailed } from '../../errors.ts';

/** To a worker that threw. */
export const BROKEN_HINT = 'This is a bug in capbench: please report it with the bundle.';

const CONNECT_HINT =
  'See whether the world servers still run (their logs are in the bundle); a lower --scale, or fewer connects a second (load.connectsPerSecond), is kinder to them.';

/** To players that could not connect: what a system call's own code tells better than our guess. */
export function hintFor(error: string | null): string {
  if (error?.includes('EADDRNOTAVAIL')) {
    return 'The ephemeral ports are used up: widen their range (Linux: sysctl net.ipv4.ip_local_port_range="15000 64999"; macOS: net.inet.ip.portrange.first), or wait a minute for those of the last run.';
  }
  if (error?.includes('EMFILE')) return 'Raise the limit of open files before the run: `ulimit -n`.';
  return CONNECT_HINT;
}

export const cannotConnect = (failed: number, players: number, error: string | null): Error =>
  stackFailed(
    `${failed} of ${players} players could not connect${error === null ? '' : `: ${error}`}`,
    hintFor(error),
  );
