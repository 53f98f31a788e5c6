import { countText, exceeds, numberText, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const pools: Check = {
  id: 'pools',
  title: 'All pools together fit the connections that the server accepts',
  needs: ['pools'],
  rule: ({ pools: all = [] }) =>
    all.map(({ name, limit, reserved, users }) => {
      const kept = reserved?.high ?? 0;
      const asked = users.reduce(
        (sum, { processes, connections, overflow }) =>
          sum + processes.high * (connections.high + (overflow?.high ?? 0)),
        0,
      );
      const parts = users.map(({ name: user, processes, connections, overflow }) => {
        const each =
          overflow === undefined
            ? numberText(connections.high)
            : `(${numberText(connections.high)} + ${numberText(overflow.high)})`;
        return `${user} ${numberText(processes.high)} x ${each}`;
      });
      const left = reserved === undefined ? '' : ` less ${numberText(kept)} reserved`;
      return {
        subject: name,
        holds: !exceeds(asked, limit.low - kept),
        arithmetic: `${parts.join(', ')} = ${countText(asked, 'connections')}, of ${text(limit)}${left} = ${numberText(limit.low - kept)}`,
        figures: [
          limit,
          reserved,
          ...users.flatMap(({ processes, connections, overflow }) => [processes, connections, overflow]),
        ],
        disputes: [limit, ...users.flatMap(({ connections, overflow }) => [connections, overflow])],
      };
    }),
};
