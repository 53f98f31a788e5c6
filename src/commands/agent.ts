import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { AgentCommandFlags } from './execute-agent.ts';
import { several } from './options.ts';

const EXAMPLES = `
Examples:
  $ openssl rand -hex 32 > token               the same file on both machines
  $ capbench agent --listen 10.0.0.5:7400 --token-file token \\
      --tls-cert agent.pem --tls-key agent.key --allow 10.0.0.4
  $ capbench agent --listen 127.0.0.1:7400 --token-file token --allow 127.0.0.1

and on the machine that runs the scenario:
  $ capbench run ./my-world.yaml --target http://10.0.0.4:8080 --i-own 10.0.0.4 \\
      --agents 10.0.0.5:7400 --agent-token-file token --agent-ca ca.pem

Ctrl-C ends it with exit code 0; 93 when it cannot listen, 104 bad input.
`;

/** `capbench agent`: load processes for a run of another machine, until interrupted. */
export const agentCommand = (host: Host): Command =>
  new Command('agent')
    .description('make load for a run of another machine, against hosts that you allow')
    .requiredOption('--listen <host:port>', 'where it waits for the run; off loopback only with TLS')
    .requiredOption('--token-file <file>', 'the token that lets a run in')
    .addOption(several('--allow <host>', 'a host that may be loaded from here; repeatable'))
    .addOption(several('--file <file>', 'a player module or data that a run may use here; repeatable'))
    .option('--tls-cert <file>', 'certificate (PEM) for the name or address in --listen')
    .option('--tls-key <file>', 'its private key (PEM)')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: AgentCommandFlags) => {
      const { executeAgent } = await import('./execute-agent.ts');
      await executeAgent(host, flags);
    });
