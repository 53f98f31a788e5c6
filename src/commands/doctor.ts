import { Command } from 'commander';
import type { Host } from '../host.ts';

const EXAMPLES = `
Examples:
  $ capbench doctor
  $ capbench doctor --json | jq -r '.checks[] | select(.state != "ok") | .advice'

Exit code 93 when something is missing that every run needs; what only some runs need is reported, with exit code 0.
In the JSON, each check has a state: ok, warning, missing, unavailable (not reported by this platform), or error.
`;

/** `capbench doctor`: what this host has for a run, what it lacks, and what to type. */
export const doctorCommand = (host: Host): Command =>
  new Command('doctor')
    .description('check this host: what is here, what is missing, and what to type')
    .option('--json', 'as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json = false }: { json?: boolean }) => {
      const { executeDoctor } = await import('./execute-doctor.ts');
      await executeDoctor(host, json);
    });
