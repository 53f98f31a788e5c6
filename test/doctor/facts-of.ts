import type { HostFacts } from '../../src/doctor/host-facts.ts';

const MB = 2 ** 20;
const GB = 2 ** 30;

/** A Linux host that lacks nothing, with some facts changed. */
export const factsOf = (changes: Partial<HostFacts> = {}): HostFacts => ({
  platform: 'linux',
  arch: 'x64',
  node: 'v22.12.0',
  isRoot: false,
  packageManager: 'apt-get',
  cpus: 8,
  threadsPerCore: 2,
  cpuQuota: null,
  memoryBytes: 16 * GB,
  usableMemoryBytes: 16 * GB,
  availableMemoryBytes: 12 * GB,
  sharedMemory: { totalBytes: 64 * MB, freeBytes: 64 * MB },
  clockSource: 'tsc',
  reports: { steal: true, pressure: true, waits: true },
  limits: { descriptors: 1_048_576, ports: { from: 32_768, to: 60_999 }, loopbackAliases: true, cpus: 8 },
  temporary: { path: '/tmp' },
  postgres: { path: '/opt/pg/bin', version: '16.14', embedded: true, account: null },
  programs: {
    k6: { path: '/usr/bin/k6', version: '2.2.0' },
    redis: { path: '/usr/bin/redis-server', version: '7.0.15' },
    nginx: { path: '/usr/sbin/nginx', version: '1.22.1' },
    haproxy: { path: '/usr/sbin/haproxy', version: '2.6.12' },
    docker: { path: '/usr/bin/docker', version: '28.2.2' },
  },
  scenarios: [
    {
      name: 'small',
      needs: [{ name: 'PostgreSQL', path: '/opt/pg/bin', version: null, bring: 'install it' }],
    },
  ],
  ...changes,
});

/** A Mac, which has no /proc, with only capbench installed. */
export const MAC = factsOf({
  platform: 'darwin',
  arch: 'arm64',
  packageManager: 'brew',
  threadsPerCore: 1,
  availableMemoryBytes: null,
  sharedMemory: null,
  clockSource: null,
  reports: { steal: false, pressure: false, waits: false },
  limits: { descriptors: null, ports: { from: 49_152, to: 65_535 }, loopbackAliases: false, cpus: 8 },
  programs: { k6: null, redis: null, nginx: null, haproxy: null, docker: null },
});
