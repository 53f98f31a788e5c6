import { Command } from 'commander';
import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { grouped } from '../units.ts';
import type { ClaimsFlags } from './execute-claims.ts';

interface ListFlags extends ClaimsFlags {
  /** True without a file. */
  readonly tiers?: string | true;
  /** True without a document. */
  readonly claims?: string | true;
}

const EXAMPLES = `
Examples:
  $ capbench list
  $ capbench list --json | jq -r '.[].name'
  $ capbench list --claims
  $ capbench list --claims --out /archive/reports --html claims.html --markdown claims.md
  $ capbench list --tiers
  $ capbench list --claims --json | jq '.documents[] | {document, counts}'

--claims reads the newest run of each scenario: of several that rule the same claim, breached comes before contradicted,
that before met, met before unmeasured, and untestable last. A run without a conclusion, or of another stack than the
scenario has, rules nothing.
`;

/** `capbench list`: the scenarios that come with capbench, and what they need; or what became of the documents' claims. */
export const listCommand = (host: Host): Command =>
  new Command('list')
    .description(
      'list the scenarios that come with capbench, machines to rent, or what was found of what documents promise',
    )
    .option('--tiers [file]', 'the machines that --tier and `capbench size` know, or those of a file')
    .option('--claims [document]', 'what became of the claims of all documents, or of each claim of one')
    .option('--out <folder>', 'with --claims: the folder of the bundles (default: reports)')
    .option('--html <file>', 'with --claims: write a page with each claim')
    .option('--markdown <file>', 'with --claims: write the same as Markdown')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ claims, tiers, ...flags }: ListFlags) => {
      if (claims === undefined) {
        refuseClaimsOptions(flags);
        if (tiers !== undefined) {
          const { listTiers } = await import('./list-tiers.ts');
          await listTiers(host, tiers === true ? [] : [tiers], flags.json === true);
          return;
        }
        await listScenarios(host, flags.json === true);
        return;
      }
      if (tiers !== undefined) throw badInput('list: got --tiers and --claims, expected one of them');
      const { executeClaims } = await import('./execute-claims.ts');
      await executeClaims(host, claims === true ? null : claims, flags);
    });

function refuseClaimsOptions({ out, html, markdown }: ClaimsFlags): void {
  const given = Object.entries({ out, html, markdown }).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw badInput(`list: --${given[0]} is only for --claims`, 'add --claims, or leave it out');
}

async function listScenarios(host: Host, json: boolean): Promise<void> {
  const { readShipped } = await import('./scenario-needs.ts');
  const rows = (await readShipped(host)).map(({ name, path, scenario: { load, description }, needs }) => ({
    ...{ name, players: load.players, description: description.trim(), path },
    needs: needs.map((one) => ({ program: one.name, here: one.path !== null, bring: one.bring })),
  }));
  if (json) {
    host.stdout.write(jsonText(rows));
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
}
