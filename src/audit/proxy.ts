import type { Figure } from '../scenario/plan.ts';
import { countText, exceeds, like, measureText, numberText, text } from './arithmetic.ts';
import type { Check } from './check.ts';

const addressText = ({ low }: Figure): string => countText(low, 'addresses');

export const proxyConnections: Check = {
  id: 'proxy-connections',
  title: 'The proxy accepts a connection for every player',
  needs: ['load.players', 'proxy.connections'],
  rule({ load, proxy }) {
    const [players, connections] = [load?.players, proxy?.connections];
    if (!players || !connections) return [];
    return [
      {
        subject: '',
        holds: !exceeds(players.high, connections.low),
        arithmetic: `${text(players)} over a proxy of ${text(connections)}`,
        figures: [players, connections],
        disputes: [players, connections],
      },
    ];
  },
};

/** Neither check disputes a claim: from how many addresses the players come is a figure of whoever wrote the plan. */
export const perAddress: Check = {
  id: 'per-address',
  title: 'The addresses of the players may open a connection for each of them',
  needs: ['load.players', 'proxy.perAddress', 'proxy.addresses'],
  rule({ load, proxy }) {
    const [players, each, addresses] = [load?.players, proxy?.perAddress, proxy?.addresses];
    if (!players || !each || !addresses) return [];
    const needed = Math.ceil(players.high / each.low);
    return [
      {
        subject: '',
        holds: !exceeds(players.high, each.low * addresses.low),
        arithmetic: `${text(players)} / ${text(each)} an address = ${countText(needed, 'addresses')}, of ${addressText(addresses)} with ${like(each, each.low * addresses.low)}`,
        figures: [players, each, addresses],
        disputes: [],
      },
    ];
  },
};

export const newPerAddress: Check = {
  id: 'new-per-address',
  title: 'The addresses of the players may open connections at the rate at which players come',
  needs: ['proxy.connectsPerSecond', 'proxy.newPerAddress', 'proxy.addresses'],
  rule({ proxy = {} }) {
    const { connectsPerSecond: rate, newPerAddress: limit, addresses } = proxy;
    if (!rate || !limit || !addresses) return [];
    const each = limit.count.low / limit.every.high;
    return [
      {
        subject: '',
        holds: !exceeds(rate.high, each * addresses.low),
        arithmetic: `${numberText(limit.count.low)} in ${measureText(limit.every.high, 's')} = ${countText(each, 'connections/s')} an address: ${text(rate)} / ${numberText(each)} = ${countText(Math.ceil(rate.high / each), 'addresses')}, of ${addressText(addresses)}`,
        figures: [rate, limit.count, limit.every, addresses],
        disputes: [],
      },
    ];
  },
};

export const byAddress: Check = {
  id: 'by-address',
  title: 'The addresses of the players reach enough servers, where the address chooses the server',
  needs: ['proxy.servers', 'proxy.addresses', 'proxy.perServer', 'proxy.needed'],
  rule({ proxy = {} }) {
    const { servers, addresses, perServer, needed } = proxy;
    if (!servers || !addresses || !perServer || !needed) return [];
    const reached = Math.min(servers.low, addresses.low);
    return [
      {
        subject: '',
        holds: !exceeds(needed.high, reached * perServer.low),
        arithmetic: `players from ${addressText(addresses)} reach ${numberText(reached)} of ${countText(servers.low, 'servers')} at most: ${numberText(reached)} x ${text(perServer)} = ${like(perServer, reached * perServer.low)}, of ${text(needed)}`,
        figures: [servers, addresses, perServer, needed],
        disputes: [],
      },
    ];
  },
};

export const proxyThreads: Check = {
  id: 'proxy-threads',
  title: 'Each thread of the proxy has a core',
  needs: ['proxy.threads', 'proxy.cpus'],
  rule({ proxy = {} }) {
    const { threads, cpus } = proxy;
    if (!threads || !cpus) return [];
    return [
      {
        subject: '',
        holds: !exceeds(threads.high, cpus.low),
        arithmetic: `${text(threads)} on ${text(cpus)}`,
        figures: [threads, cpus],
        disputes: [threads],
      },
    ];
  },
};
