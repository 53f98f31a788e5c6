import { Command } from 'commander';
import type { Host } from '../host.ts';

const EXAMPLES = `
Examples:
  $ capbench list
  $ capbench list --json | jq -r '.[].name'
`;

/** `capbench list`: the scenarios that come with capbench. */
export const listCommand = (host: Host): Command =>
  new Command('list')
    .description('list the scenarios that come with capbench')
    .option('--json', 'as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json = false }: { json?: boolean }) => {
      const { loadClaims, loadShipped, shippedScenarios } = await import('./scenario-files.ts');
      const claims = await loadClaims(host);
      const rows = [];
      for (const [name, path] of await shippedScenarios(host)) {
        const { description, load } = await loadShipped(host, path, claims);
        rows.push({ name, players: load.players, description: description.trim(), path });
      }
      if (json) {
        host.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
        return;
      }
      const width = Math.max(4, ...rows.map(({ name }) => name.length));
      const indent = ' '.repeat(width + 12);
      host.stdout.write(`${'NAME'.padEnd(width)}  ${'PLAYERS'.padStart(8)}  DESCRIPTION\n`);
      for (const { name, players, description, path } of rows) {
        const about = description.split(/\n+/)[0] ?? '';
        host.stdout.write(
          `${name.padEnd(width)}  ${players.toLocaleString('en-US').padStart(8)}  ${about}\n${indent}${path}\n`,
        );
      }
    });
