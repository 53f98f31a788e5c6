import { readFileSync } from 'node:fs';
import { availableParallelism, platform } from 'node:os';
import { DEFAULT_PORTS, descriptorsIn, type HostLimits, portsIn } from './limits.ts';

/** Asks the system this process runs on; elsewhere than on Linux only as far as it can tell. */
export function readHostLimits(): HostLimits {
  return {
    descriptors: readDescriptors('self'),
    ports: portsIn(read('/proc/sys/net/ipv4/ip_local_port_range')) ?? DEFAULT_PORTS,
    loopbackAliases: platform() === 'linux',
    cpus: availableParallelism(),
  };
}

/**
 * The descriptor limit of a process of this host. Node raises its own soft limit to the hard one when it
 * starts, so what this process sees is what its children get.
 */
export const readDescriptors = (pid: number | 'self'): number | null =>
  descriptorsIn(read(`/proc/${pid}/limits`));

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
