import { Command } from 'commander';
import type { Host } from '../host.ts';

const EXAMPLES = `
Examples:
  $ capbench init                        in this folder
  $ capbench init load-test              in a folder of its own

Nothing is overwritten: 104 when a file of that name is there already.
`;

/** `capbench init`: a scenario and a player module to begin with. */
export const initCommand = (host: Host): Command =>
  new Command('init')
    .description('write a commented scenario and player module, and say how to run them')
    .argument('[folder]', 'where; it is made when it is not there', '.')
    .addHelpText('after', EXAMPLES)
    .action(async (folder: string) => {
      const { writeStart } = await import('./execute-init.ts');
      await writeStart(host, folder);
    });
