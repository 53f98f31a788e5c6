import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { ServeFlags } from './execute-serve.ts';
import { ALLOW_START, GIVEN_REDIS, iOwn, withScenario } from './options.ts';

const EXAMPLES = `
Examples:
  $ capbench serve quickstart
  $ capbench serve quickstart --port 3001      world servers at 3001, 3002, ...
  $ capbench serve ./my-world.yaml --allow-start
  $ capbench run quickstart --target http://127.0.0.1:3001 --target http://127.0.0.1:3002

Ctrl-C ends it with exit code 0; 93 when a part of the stack ends by itself.
`;

/** `capbench serve`: only the stack, until interrupted. */
export const serveCommand = (host: Host): Command =>
  withScenario(new Command('serve'))
    .description('start only the servers of a scenario and keep them running, as a --target')
    .option('--port <number>', 'port of the first world server; the others follow (default: free ports)')
    .option(...ALLOW_START)
    .option(...GIVEN_REDIS)
    .addOption(iOwn())
    .option('--json', 'print the endpoints as one line of JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, flags: ServeFlags) => {
      const { executeServe } = await import('./execute-serve.ts');
      await executeServe(host, reference, flags);
    });
