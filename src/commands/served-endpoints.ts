import type { Scenario } from '../scenario/scenario.ts';
import type { Endpoints } from '../stack/stack.ts';

/** In a URL a password would be redacted, and here the user needs it. */
function withoutPassword(address: string): { readonly url: string; readonly password: string | null } {
  const url = new URL(address);
  const { password } = url;
  url.password = '';
  return { url: url.href, password: password === '' ? null : decodeURIComponent(password) };
}

/** As JSON: the endpoints. */
export const endpointsJson = ({ worlds, database, addresses = {} }: Endpoints): string =>
  JSON.stringify({
    ...{ worlds: worlds.map(({ url }) => url), database },
    addresses: Object.fromEntries(
      Object.entries(addresses).map(([component, address]) => [component, withoutPassword(address)]),
    ),
  });

/** As text: the endpoints, and the command that loads them. */
export function endpointsText(
  name: string,
  { traits }: Pick<Scenario, 'traits'>,
  { worlds, database, addresses = {} }: Endpoints,
): string {
  // Where a proxy stands in front of the servers, players connect to it.
  const entrances = addresses.edge === undefined ? worlds.map(({ url }) => url) : [addresses.edge];
  const targets = entrances.map((url) => `--target ${url}`).join(' ');
  return [
    ...worlds.map(({ url }, index) => `world server ${index + 1}  ${url}`),
    ...(database === null
      ? []
      : [
          `PostgreSQL      folder ${database.host}, port ${database.port}, database ${database.database}, user ${database.user}`,
        ]),
    ...Object.entries(addresses).map(([component, address]) => {
      const { url, password } = withoutPassword(address);
      return `${component.padEnd(15)} ${url}${password === null ? '' : `, password ${password}`}`;
    }),
    '',
    `capbench run ${name}${traits.playerCode !== null ? ' --allow-module' : ''} ${targets}`,
    '',
  ].join('\n');
}
