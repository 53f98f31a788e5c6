import type { EdgeSettings } from '../scenario/edge.ts';
import { balanceOf } from '../scenario/edge-balance.ts';
import type { EdgePlan } from './edge-configuration.ts';
import { statsSocket, YARDSTICK } from './edge-reading.ts';

const BALANCE: Readonly<Record<string, string>> = {
  source: 'source',
  least_conn: 'leastconn',
  round_robin: 'roundrobin',
};

/** In the foreground, as one process. */
export const haproxyArguments = (file: string): readonly string[] => ['-db', '-f', file];

const milliseconds = (micros: number): string => `${Math.round(micros / 1e3)}ms`;

/**
 * nginx learns of a failed server from its clients' requests; haproxy does, too (observe), and asks for itself: once
 * it has left a server out it asks again after `failTimeout`. With `checks` it only asks, as they say.
 */
function checkOf({ maxFails, failTimeout, checks }: EdgeSettings): string {
  if (checks !== undefined) {
    return ` check inter ${milliseconds(checks.every)} rise ${checks.rise} fall ${checks.fall}`;
  }
  if (maxFails === 0) return '';
  return ` check inter 2s fall ${maxFails} rise 1 downinter ${milliseconds(failTimeout)} observe layer4 error-limit ${maxFails} on-error mark-down`;
}

/** Addresses whose connections are counted at once. */
const MOST_ADDRESSES = '100k';

/** Refuses the connections of an address beyond its limits, before anything of them is read. */
function addressLimits({ perAddress }: EdgeSettings): string {
  if (perAddress === undefined) return '';
  const { open, opened, within } = perAddress;
  const span = milliseconds(within);
  return `
  stick-table type ip size ${MOST_ADDRESSES} expire ${milliseconds(10 * within)} store conn_rate(${span}),conn_cur
  tcp-request connection track-sc0 src
  tcp-request connection reject if { sc_conn_rate(0) gt ${opened} }
  tcp-request connection reject if { sc_conn_cur(0) gt ${open} }`;
}

/** The file of a proxy in front of these servers. */
export function haproxyConfiguration({
  edge,
  host,
  port,
  servers,
  connections,
  certificate,
  folder,
  yardstick,
}: EdgePlan): string {
  const patience = milliseconds(edge.readTimeout);
  const checked = checkOf(edge);
  return `global
  maxconn ${connections}
  nbthread 1
  stats socket "${statsSocket(folder)}" mode 600 level admin
defaults
  mode http
  timeout connect 60s
  timeout client ${patience}
  timeout server ${patience}
  timeout tunnel ${patience}
  option forwardfor
  option redispatch 1
frontend edge
  bind ${host}:${port} backlog 4096${certificate === null ? '' : ` ssl crt "${certificate}"`}${addressLimits(edge)}
  default_backend servers
backend servers
  balance ${BALANCE[balanceOf(edge)] ?? ''}
  # Without it, addresses that differ in the third octet only would meet the same server.
  hash-type map-based sdbm avalanche
  option httpchk GET /health
${servers.map(({ name, address }) => `  server ${name} ${address}${checked}`).join('\n')}
${yardstick === null ? '' : `backend checked\n  option httpchk GET /health\n  server ${YARDSTICK} ${yardstick}${checked}\n`}`;
}
