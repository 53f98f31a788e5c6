import { Command } from 'commander';
import type { Host } from '../host.ts';
import { exportK6Command } from './export-k6.ts';
import { exportK8sCommand } from './export-k8s.ts';

const EXAMPLES = `
Examples:
  $ capbench export k6 quickstart --out quickstart.js
  $ capbench export k8s quickstart --target http://world-1:3001 --target http://world-2:3001
`;

/** `capbench export`: a scenario's load for another tool. */
export function exportCommand(host: Host): Command {
  const command = new Command('export').description("a scenario's load, for another tool to make");
  for (const one of [exportK6Command(host), exportK8sCommand(host)]) command.addCommand(one);
  return command.addHelpText('after', EXAMPLES);
}
