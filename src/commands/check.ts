import { Command } from 'commander';
import { CapbenchError, EXIT } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { type ScenarioFlags, type TargetFlags, withScenario, withTargets } from './options.ts';
import type { Inspected } from './scenario-outline.ts';

interface CheckFlags extends ScenarioFlags, TargetFlags {
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  $ capbench check m4pro-20k
  $ capbench check m4pro-20k --scale 0.25 -d 30s
  $ capbench check ./my-world.yaml --players 500 --json
  $ capbench check ./my-world.yaml --target ws://127.0.0.1:8080 \\
      --probe-metrics http://127.0.0.1:8080/metrics

Give it the options of the run: it shows what each budget needs to be measured.
It starts no stack and connects to nothing; programs that the stack needs are asked for their version.
`;

/** `capbench check`: what a run would do, or every problem of the scenario. */
export const checkCommand = (host: Host): Command =>
  withTargets(withScenario(new Command('check')))
    .description('show what a run would do and what its budgets need; starts nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, flags: CheckFlags) => {
      const { outline, outlineJson } = await import('./scenario-outline.ts');
      if (flags.json !== true) {
        const inspected = await inspect(host, reference, flags);
        host.stdout.write(outline(inspected, host.stdout.columns));
        return;
      }
      const { ScenarioError } = await import('../scenario/problem.ts');
      try {
        host.stdout.write(outlineJson(await inspect(host, reference, flags)));
      } catch (thrown) {
        if (!(thrown instanceof CapbenchError) || thrown.exitCode !== EXIT.badInput) throw thrown;
        const problems =
          thrown instanceof ScenarioError
            ? thrown.problems
            : [{ where: reference, path: '', message: thrown.message, hint: thrown.hint ?? null }];
        host.stdout.write(jsonText({ ok: false, problems }));
        host.exitCode = EXIT.badInput;
      }
    });

/** The scenario, and what its budgets need in a run with these options. @throws CapbenchError (104) as the run would */
async function inspect(host: Host, reference: string, flags: CheckFlags): Promise<Inspected> {
  const { findModule, loadScenario } = await import('./scenario-files.ts');
  const { readPlayerInputs } = await import('./player-inputs.ts');
  const { readTargets } = await import('./targets.ts');
  const { readFaultProcesses, refuseUnreachableFaults } = await import('./fault-processes.ts');
  const { readVariables } = await import('./start-permission.ts');
  const { needOf, needOfWatched } = await import('../judge/need.ts');
  const { availableMemory } = await import('../stack/memory-need.ts');
  const { knownSettings } = await import('./known-settings.ts');
  const { programFinder } = await import('../doctor/needed-program.ts');
  const loaded = await loadScenario(host, reference, flags, flags.target.length);
  const { scenario, system } = loaded;
  await findModule(loaded);
  await readPlayerInputs(host, loaded, {});
  const { targets, starts, probes, redis } = await readTargets(host, loaded, flags);
  readVariables(host, loaded, starts);
  const faulty = readFaultProcesses(host, flags, targets);
  // Before there is a target, a scenario is checked for itself.
  if (targets.length > 0 || redis !== null)
    refuseUnreachableFaults(loaded, { targets, starts, redis }, faulty);
  const circumstances = {
    scenario,
    hasTarget: targets.length > 0,
    probes: {
      postgres: probes.postgres !== null,
      redis: probes.redis !== null,
      metrics: probes.metrics.length > 0,
      processes: probes.processes.map(({ name }) => name),
    },
    lacks: [
      ...(system.measureCeilings === undefined ? (['ceilings'] as const) : []),
      ...(system.nullServers === undefined ? (['calibration'] as const) : []),
    ],
    settings: await knownSettings(host, scenario),
    platform: host.machine.platform,
  };
  // Of a stack that capbench starts, without what is given.
  const components = targets.length > 0 ? [] : system.scenario.components(scenario);
  const started = components.filter(({ name }) => redis === null || name !== 'redis');
  const ofCommand = starts === null ? [] : system.scenario.components(scenario);
  const memory = targets.length > 0 ? null : (system.needs?.(scenario) ?? null);
  return {
    loaded,
    components: components.map(({ name }) => name),
    started: [...started, ...ofCommand].map(({ name }) => name),
    cpus: host.machine.cpus,
    programs: await programFinder(host.env)(
      started,
      scenario,
      components.length === 0 ? undefined : system.scenario.packages,
    ),
    givenRedis: redis?.shown ?? null,
    memory: memory === null ? null : { need: memory, availableBytes: availableMemory() },
    needs: scenario.budgets.map((budget) => needOf(budget, circumstances)),
    watch: needOfWatched(circumstances),
  };
}
