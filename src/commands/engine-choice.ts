import { badInput } from '../errors.ts';
import { k6Script } from '../export/k6/script.ts';
import type { Host } from '../host.ts';
import type { Engine, EngineName } from '../load/engine.ts';
import { dealEvenly } from '../load/fleet/deal.ts';
import { findK6 } from '../load/k6/binary.ts';
import { createK6Engine } from '../load/k6/engine.ts';
import { createNativeEngine, type NativeEngineOptions } from '../load/native.ts';
import { workloadOf } from '../scenario/workload.ts';
import { k6PlanOf, type LoadedScenario, refuseShapes } from './scenario-files.ts';
import type { RunTargets } from './targets.ts';

/** What of a run's flags is about its engine, as given. */
interface EngineFlags {
  readonly engine: EngineName;
  readonly workers?: string;
}

/** What a run hands to its engine. */
type EngineOptions = Omit<NativeEngineOptions, 'system' | 'name'>;

/**
 * The engine that `--engine` names, once it is known that it can do what the scenario asks for: said before there is
 * a bundle. Bad input (104) where it cannot, and 93 where it is not installed.
 */
export async function chooseEngine(
  { env }: Pick<Host, 'env'>,
  { scenario, system }: Pick<LoadedScenario, 'scenario' | 'system'>,
  flags: EngineFlags,
  reached: RunTargets,
): Promise<(options: EngineOptions) => Engine> {
  const byFleet = (name: EngineName) => (options: EngineOptions) =>
    createNativeEngine({
      ...options,
      name,
      system: { side: system.workerSide(scenario), deal: system.deal },
    });
  switch (flags.engine) {
    case 'native':
      return byFleet('native');
    case 'autocannon': {
      refuseShapes(scenario.load, '--engine autocannon');
      const refusal =
        system.engines?.autocannon === undefined
          ? `the system ${system.name} has nothing for it to write`
          : system.engines.autocannon(workloadOf(scenario, system.scenario), reached.targets);
      if (refusal !== null) throw badInput(`--engine autocannon: ${refusal}`, 'use --engine native');
      return byFleet('autocannon');
    }
    case 'k6': {
      refuseFlags(flags, reached);
      const { part } = k6PlanOf(system, scenario);
      const k6 = await findK6(env);
      const { deal = dealEvenly } = system;
      return ({ watchdog, onConnecting = () => {} }) =>
        createK6Engine({
          ...{ k6, system: part, deal, watchdog, onConnecting },
          script: (workload, urls) => k6Script(part, workload, scenario, urls),
        });
    }
  }
}

/** What of a run's flags k6 does not understand. */
function refuseFlags({ workers }: EngineFlags, { access }: RunTargets): void {
  if (workers !== undefined) {
    throw badInput(
      '--workers: k6 is one process, whatever its players',
      'leave --workers out, or use --engine native',
    );
  }
  if (access.ca !== undefined || access.headers !== undefined) {
    throw badInput(
      `${access.ca === undefined ? '--header' : '--ca-file'}: --engine k6 sends no headers and trusts what the system trusts`,
      'use --engine native',
    );
  }
}
