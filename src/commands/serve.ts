import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { ServeFlags } from './execute-serve.ts';
import { withScenario } from './options.ts';

const EXAMPLES = `
Examples:
  $ capbench serve quickstart
  $ capbench serve quickstart --port 3001      world servers at 3001, 3002, ..
  $ capbench run quickstart --target http://127.0.0.1:3001 --target http://127.0.0.1:3002

Ends with Ctrl-C and exit code 0; 93 when a part of the stack ends by itself.
`;

/** `capbench serve`: the stack alone, held until interrupted. */
export const serveCommand = (host: Host): Command =>
  withScenario(new Command('serve'))
    .description("open a scenario's stack alone and hold it: something to point --target at")
    .option('--port <number>', 'of the first world server, the others follow (default: free ports)')
    .option('--json', 'the endpoints as one line of JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, flags: ServeFlags) => {
      const { executeServe } = await import('./execute-serve.ts');
      await executeServe(host, reference, flags);
    });
