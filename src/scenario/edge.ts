import type { z } from 'zod';
import { duration, map, oneOf, whole, wholeSeconds } from './leaf.ts';
import { limitsSchema } from './limits.ts';

const ADVICE = { ip_hash: 'nginx', source: 'haproxy' } as const;
/** Keys that only HAProxy has a counterpart for. */
const OF_HAPROXY = ['connections', 'checks', 'perAddress', 'tls'] as const;

const checks = map({
  every: duration('100ms', '10m').describe('haproxy asks each server this often'),
  rise: whole(1, 1000).describe('A server is used again after so many good answers'),
  fall: whole(1, 1000).describe('A server is left out after so many bad ones'),
});

const perAddress = map({
  open: whole(1, 1_000_000).describe('Connections that one address may have at once; more are refused'),
  opened: whole(1, 1_000_000).describe('Connections that one address may open within `within`'),
  within: wholeSeconds('1s', '1h').describe('The time in which `opened` is counted'),
});

const tls = map({
  keyBits: whole(2048, 8192).describe('Length of the RSA key of a certificate that is made for the run'),
});

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
  // Without defaults, so that the hash of a scenario that does not name them stays the same.
  connections: whole(1, 1_000_000).optional().describe('Connections of clients at once; haproxy only'),
  checks: checks.optional().describe('Instead of maxFails and failTimeout; haproxy only'),
  perAddress: perAddress.optional().describe('Limits for each address of a client; haproxy only'),
  tls: tls.optional().describe('Clients connect over TLS; haproxy only'),
  limits: limitsSchema.optional(),
})
  .refine(
    ({ program, balance }) =>
      balance === undefined || !Object.hasOwn(ADVICE, balance) || Reflect.get(ADVICE, balance) === program,
    {
      path: ['balance'],
      error:
        'ip_hash with nginx or source with haproxy, which are the same idea, or round_robin or least_conn',
    },
  )
  .refine((edge) => edge.program === 'haproxy' || OF_HAPROXY.every((key) => edge[key] === undefined), {
    path: ['program'],
    error: `haproxy, which ${OF_HAPROXY.join(', ')} are for`,
  });

/** The edge proxy in front of the servers: durations in microseconds. */
export type EdgeSettings = Readonly<z.output<typeof edgeSchema>>;
