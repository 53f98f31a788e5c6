import { Command } from 'commander';
import { CapbenchError, EXIT } from '../errors.ts';
import type { Host } from '../host.ts';
import { type ScenarioFlags, withScenario } from './scenario-options.ts';

const EXAMPLES = `
Examples:
  $ capbench check m4pro-20k
  $ capbench check m4pro-20k --scale 0.25 --duration 30s
  $ capbench check ./my-world.yaml --set load.players=500
`;

/** `capbench check`: what a run would do, or everything that is wrong with the scenario. */
export const checkCommand = (host: Host): Command =>
  withScenario(new Command('check'))
    .description('resolve a scenario and show what would run, without running it')
    .option('--json', 'as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, { json = false, ...flags }: ScenarioFlags & { json?: boolean }) => {
      const { loadScenario } = await import('./scenario-files.ts');
      const { findModule } = await import('./player-module.ts');
      const { outline, outlineJson } = await import('./scenario-outline.ts');
      const load = async () => {
        const loaded = await loadScenario(host, reference, flags);
        await findModule(loaded);
        return loaded;
      };
      if (!json) {
        host.stdout.write(outline(await load()));
        return;
      }
      const { ScenarioError } = await import('../scenario/problem.ts');
      try {
        host.stdout.write(outlineJson(await load()));
      } catch (thrown) {
        if (!(thrown instanceof CapbenchError) || thrown.exitCode !== EXIT.badInput) throw thrown;
        const problems =
          thrown instanceof ScenarioError
            ? thrown.problems
            : [{ where: reference, path: '', message: thrown.message, hint: thrown.hint ?? null }];
        host.stdout.write(`${JSON.stringify({ ok: false, problems }, null, 2)}\n`);
        host.exitCode = EXIT.badInput;
      }
    });
