import { Command } from 'commander';
import type { Host } from '../host.ts';
import { grouped } from '../units.ts';

const EXAMPLES = `
Examples:
  $ capbench list
  $ capbench list --json | jq -r '.[].name'
`;

/** `capbench list`: the scenarios that come with capbench. */
export const listCommand = (host: Host): Command =>
  new Command('list')
    .description('list the scenarios that come with capbench')
    .option('--json', 'print JSON')
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
      const { table } = await import('./table.ts');
      const lines = rows.map(({ name, players, description, path }) => [
        ...[name, grouped(players).padStart(7)],
        `${description.split(/\n+/)[0] ?? ''}\n${path}`,
      ]);
      const shown = table([['NAME', 'PLAYERS', 'DESCRIPTION'], ...lines], '', host.stdout.columns);
      host.stdout.write(`${shown.join('\n')}\n`);
    });
