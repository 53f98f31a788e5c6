import type { EdgeSettings } from './edge.ts';

/**
 * How the edge balances: by the address of the client where the scenario does not say. Apart from the schema, so that what
 * only starts an edge loads no schema library.
 */
export const balanceOf = ({ program, balance }: EdgeSettings) =>
  balance ?? (program === 'nginx' ? 'ip_hash' : 'source');
