import { Command } from 'commander';
import type { Host } from '../host.ts';
import { grouped } from '../units.ts';

const EXAMPLES = `
Examples:
  $ capbench list
  $ capbench list --json | jq -r '.[].name'
`;

/** `capbench list`: the scenarios that come with capbench, and what they need. */
export const listCommand = (host: Host): Command =>
  new Command('list')
    .description('list the scenarios that come with capbench')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json = false }: { json?: boolean }) => {
      const { readShipped } = await import('./scenario-needs.ts');
      const rows = (await readShipped(host)).map(
        ({ name, path, scenario: { load, description }, needs }) => ({
          ...{ name, players: load.players, description: description.trim(), path },
          needs: needs.map((one) => ({ program: one.name, here: one.path !== null, bring: one.bring })),
        }),
      );
      if (json) {
        host.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
        return;
      }
      const { table } = await import('./table.ts');
      const lines = rows.map(({ name, players, description, path, needs }) => {
        const programs = needs.map(({ program, here, bring }) =>
          here ? program : `${program} (not here: ${bring})`,
        );
        return [
          ...[name, grouped(players).padStart(7)],
          [
            description.split(/\n+/)[0] ?? '',
            ...(programs.length === 0 ? [] : [`needs ${programs.join(', ')}`]),
            path,
          ].join('\n'),
        ];
      });
      const shown = table([['NAME', 'PLAYERS', 'DESCRIPTION'], ...lines], '', host.stdout.columns);
      host.stdout.write(`${shown.join('\n')}\n`);
    });
