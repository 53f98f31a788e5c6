import type { z } from 'zod';
import { map, oneOf, whole, wholeSeconds } from './leaf.ts';

const ADVICE = { ip_hash: 'nginx', source: 'haproxy' } as const;

export const edgeSchema = map({
  program: oneOf(['nginx', 'haproxy']).default('nginx').describe('What runs in front of the servers'),
  balance: oneOf(['ip_hash', 'source', 'round_robin', 'least_conn'])
    .optional()
    .describe('Which server gets a new connection. Default: by the address of the client (ip_hash, source)'),
  maxFails: whole(0, 1000)
    .default(3)
    .describe('A server is left out after so many failures (within failTimeout); 0: never'),
  failTimeout: wholeSeconds('1s', '1h').prefault('30s').describe('For how long it is left out'),
  readTimeout: wholeSeconds('1s', '24h')
    .prefault('600s')
    .describe('A connection on which a server sends nothing for so long is closed'),
}).refine(
  ({ program, balance }) =>
    balance === undefined || !Object.hasOwn(ADVICE, balance) || Reflect.get(ADVICE, balance) === program,
  {
    path: ['balance'],
    error: 'ip_hash with nginx or source with haproxy, which are the same idea, or round_robin or least_conn',
  },
);

/** The edge proxy in front of the servers: durations in microseconds. */
export type EdgeSettings = Readonly<z.output<typeof edgeSchema>>;
