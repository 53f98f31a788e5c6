import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import { ScenarioError } from '../scenario/problem.ts';
import { type CommandPlan, variableIn } from '../stack/command-component.ts';
import type { LoadedScenario } from './scenario-files.ts';

/** The option that allows a start command, as given. */
export interface StartFlags {
  readonly allowStart?: boolean;
}

/** @throws CapbenchError (104) where a scenario's command would be run without `--allow-start` */
export function requirePermission(command: CommandPlan | null, { allowStart = false }: StartFlags): void {
  if (command === null || allowStart) return;
  throw badInput(
    `the scenario names a start command, ${command.text}: it is run only with --allow-start`,
    'read it, and if you trust it, add --allow-start; or start the server yourself, and name it with --target',
  );
}

/**
 * Registers the variables that a command gets from capbench's own environment as secrets.
 * @throws ScenarioError where one is not set
 */
export function readVariables(
  { env, redaction }: Pick<Host, 'env' | 'redaction'>,
  { where }: Pick<LoadedScenario, 'where'>,
  command: CommandPlan | null,
): void {
  const problems = Object.entries(command?.environment ?? {}).flatMap(([name, value]) => {
    const variable = variableIn(value);
    if (variable === null) return [];
    const found = env[variable];
    if (found !== undefined) {
      redaction.learn(found, `from the variable ${variable}`);
      redaction.add(found, `from the variable ${variable}`);
      return [];
    }
    return [
      {
        where: where(['stack', 'environment', name]),
        path: `stack.environment.${name}`,
        message: `got $${variable}, and the variable ${variable} is not set`,
        hint: 'export it before the run',
      },
    ];
  });
  if (problems.length > 0) throw new ScenarioError(problems);
}
