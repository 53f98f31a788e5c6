import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { SourceFlags } from './execute-proposal.ts';

const EXAMPLES = `
Examples:
  $ capbench init                        in this folder
  $ capbench init load-test              in a new folder
  $ capbench init load-test --from-k6 load.js
  $ capbench init load-test --from-log /var/log/nginx/access.log

Nothing is overwritten: exit code 104 when a file exists already.
`;

/** `capbench init`: a scenario and a player module to start from. */
export const initCommand = (host: Host): Command =>
  new Command('init')
    .description('write a commented scenario and player module, and show how to run them')
    .argument('[folder]', 'created when it does not exist', '.')
    .option('--from-k6 <script>', 'propose the scenario from a k6 script, which is read and not run')
    .option('--from-artillery <file>', 'propose it from an Artillery test')
    .option('--from-log <access.log>', 'propose it from an access log: Common, Combined, or JSON lines')
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string, flags: SourceFlags) => {
      if (Object.keys(flags).length > 0) {
        const { writeProposal } = await import('./execute-proposal.ts');
        await writeProposal(host, folder, flags);
        return;
      }
      const { writeStart } = await import('./execute-init.ts');
      await writeStart(host, folder);
    });
