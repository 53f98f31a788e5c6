import type { EdgeSettings } from '../scenario/edge.ts';
import { balanceOf } from '../scenario/edge-balance.ts';
import type { EdgePlan } from './edge-configuration.ts';

const BALANCE: Readonly<Record<string, string>> = {
  ip_hash: 'ip_hash;',
  least_conn: 'least_conn;',
  // nginx has no word for its default.
  round_robin: '',
};

/** The first version with the option `-e`; those before it try to open the log of the installed server first. */
const ERROR_LOG_OPTION = [1, 19, 5] as const;

/** The arguments of nginx for a configuration file. */
export const nginxArguments = (version: string, file: string, folder: string): readonly string[] => [
  ...['-p', folder, '-c', file],
  ...(isAtLeast(version, ERROR_LOG_OPTION) ? ['-e', 'stderr'] : []),
];

function isAtLeast(version: string, least: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  const differs = least.findIndex((wanted, i) => (parts[i] ?? 0) !== wanted);
  return differs === -1 || (parts[differs] ?? 0) > (least[differs] ?? 0);
}

const seconds = (micros: EdgeSettings['failTimeout']): string => `${Math.round(micros / 1e6)}s`;

/** One worker process, nothing outside its folder, and no log of requests. */
export function nginxConfiguration({ edge, host, port, servers, folder, connections }: EdgePlan): string {
  const { maxFails, failTimeout, readTimeout } = edge;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {
  # A client's connection and the one to its server.
  worker_connections ${2 * connections};
}
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
  map $http_upgrade $connection_header {
    default upgrade;
    '' close;
  }
  upstream servers {
    ${BALANCE[balanceOf(edge)] ?? ''}
${servers.map(({ address }) => `    server ${address} max_fails=${maxFails} fail_timeout=${seconds(failTimeout)};`).join('\n')}
  }
  server {
    listen ${host}:${port} backlog=4096;
    location / {
      proxy_pass http://servers;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_header;
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_connect_timeout 60s;
      proxy_send_timeout 60s;
      proxy_read_timeout ${seconds(readTimeout)};
    }
  }
}
`;
}
