import { Command } from 'commander';
import type { Host } from '../host.ts';

const EXAMPLES = `
Examples:
  $ capbench init                        in this folder
  $ capbench init load-test              in a new folder

Nothing is overwritten: exit code 104 when a file exists already.
`;

/** `capbench init`: a scenario and a player module to start from. */
export const initCommand = (host: Host): Command =>
  new Command('init')
    .description('write a commented scenario and player module, and show how to run them')
    .argument('[folder]', 'created when it does not exist', '.')
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string) => {
      const { writeStart } = await import('./execute-init.ts');
      await writeStart(host, folder);
    });
