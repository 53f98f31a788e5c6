import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import type { Engine } from '../load/engine.ts';
import { findK6, type K6Binary } from '../load/k6/binary.ts';
import { createK6Engine } from '../load/k6/engine.ts';
import { unsupportedByK6 } from '../load/k6/unsupported.ts';
import { createNativeEngine, type NativeEngineOptions } from '../load/native.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { workloadOf } from '../scenario/workload.ts';
import { createAutocannonEngine, refuseForAutocannon } from '../systems/flux/autocannon/engine.ts';
import { refuseShapes } from './refuse-shapes.ts';
import type { RunFlags } from './run.ts';
import type { RunTargets } from './targets.ts';

/**
 * The engine that `--engine` names, once it is known that it can do what the scenario asks for: said before there is
 * a bundle. Bad input (104) where it cannot, and 93 where it is not installed.
 */
export async function chooseEngine(
  host: Host,
  scenario: Scenario,
  flags: RunFlags,
  reached: RunTargets,
): Promise<(options: NativeEngineOptions) => Engine> {
  switch (flags.engine) {
    case 'native':
      return createNativeEngine;
    case 'autocannon':
      refuseShapes(scenario.load, '--engine autocannon');
      refuseForAutocannon(workloadOf(scenario), reached.targets);
      return createAutocannonEngine;
    case 'k6': {
      const k6 = await k6For(host, scenario, flags, reached);
      return ({ watchdog, onConnecting = () => {} }) =>
        createK6Engine({ k6, scenario, watchdog, onConnecting });
    }
  }
}

/** The k6 of this machine, for a scenario that it can do. */
async function k6For(
  host: Host,
  scenario: Scenario,
  { workers }: RunFlags,
  { access }: RunTargets,
): Promise<K6Binary> {
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
  const unsupported = unsupportedByK6(scenario);
  if (unsupported !== null) throw badInput(unsupported.message, unsupported.hint);
  return findK6(host.env);
}
