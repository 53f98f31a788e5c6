import { balanceOf } from '../scenario/edge-balance.ts';
import type { EdgePlan } from './edge-configuration.ts';

const BALANCE: Readonly<Record<string, string>> = {
  source: 'source',
  least_conn: 'leastconn',
  round_robin: 'roundrobin',
};

/** In the foreground, as one process. */
export const haproxyArguments = (file: string): readonly string[] => ['-db', '-f', file];

/**
 * nginx learns of a failed server from its clients' requests; haproxy does, too (observe), and asks for itself: once
 * it has left a server out it asks again after `failTimeout`.
 */
export function haproxyConfiguration({ edge, host, port, servers, connections }: EdgePlan): string {
  const { maxFails, failTimeout, readTimeout } = edge;
  const milliseconds = (micros: number): string => `${Math.round(micros / 1e3)}ms`;
  const patience = milliseconds(readTimeout);
  const checked =
    maxFails === 0
      ? ''
      : ` check inter 2s fall ${maxFails} rise 1 downinter ${milliseconds(failTimeout)} observe layer4 error-limit ${maxFails} on-error mark-down`;
  return `global
  maxconn ${connections}
  nbthread 1
defaults
  mode http
  timeout connect 60s
  timeout client ${patience}
  timeout server ${patience}
  timeout tunnel ${patience}
  option forwardfor
  option redispatch 1
frontend edge
  bind ${host}:${port} backlog 4096
  default_backend servers
backend servers
  balance ${BALANCE[balanceOf(edge)] ?? ''}
  # Without it, addresses that differ in the third octet only would meet the same server.
  hash-type map-based sdbm avalanche
  option httpchk GET /health
${servers.map(({ name, address }) => `  server ${name} ${address}${checked}`).join('\n')}
`;
}
