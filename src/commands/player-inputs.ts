import { dirname, resolve } from 'node:path';
import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import { type PlayerInputs, readPlayerData } from '../load/player-data.ts';
import { nearest } from '../scenario/nearest.ts';
import { type Problem, pathText, ScenarioError } from '../scenario/problem.ts';
import type { LoadedScenario } from './scenario-files.ts';

/** The options for what players are given, as given. */
export interface InputFlags {
  readonly moduleEnv?: readonly string[];
}

/**
 * What the players are given besides the scenario: the rows of its file of data, and the values of environment variables, which
 * are registered as secrets. @throws CapbenchError (104) where something is missing
 */
export async function readPlayerInputs(
  host: Pick<Host, 'env' | 'redaction'>,
  { scenario, path, where }: Pick<LoadedScenario, 'scenario' | 'path' | 'where'>,
  { moduleEnv = [] }: InputFlags,
): Promise<PlayerInputs> {
  const { playerCode, playerData, playerEnvironment } = scenario.traits;
  if (moduleEnv.length > 0 && playerCode === null) {
    throw badInput(
      '--module-env is given, and the players of this scenario are no module',
      'players without code get variables by players.environment, as {env.NAME}',
    );
  }
  const environment: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [i, name] of playerEnvironment.entries()) {
    const value = host.env[name] ?? '';
    if (value === '') {
      problems.push({
        where: where(['players', 'environment', i]),
        path: `players.environment.${i}`,
        message: `the variable ${name} is empty or not set`,
        hint: `export ${name}=...`,
      });
    }
    environment[name] = value;
  }
  for (const name of moduleEnv) {
    const value = host.env[name] ?? '';
    if (value === '') {
      throw badInput(`--module-env: the variable ${name} is empty or not set`, `export ${name}=...`);
    }
    environment[name] = value;
  }
  for (const [name, value] of Object.entries(environment)) {
    host.redaction.add(value, `from the variable ${name}`);
  }
  if (problems.length > 0) throw new ScenarioError(problems);
  if (playerData === null) return { data: null, environment };
  const data = await readPlayerData(resolve(dirname(path), playerData.file), playerData.file);
  const unknown = playerData.columns.filter(({ name }) => !data.columns.includes(name));
  if (unknown.length > 0) {
    throw new ScenarioError(
      unknown.map(({ name, path: at }) => {
        const meant = nearest(name, data.columns);
        return {
          where: where(at),
          path: pathText(at),
          message: `unknown name {${name}}, expected {player}, {id}, {token}, {env.NAME}, or a column of ${data.name}: ${data.columns.join(', ')}`,
          hint: meant === undefined ? null : `did you mean {${meant}}?`,
        };
      }),
    );
  }
  return { data, environment };
}

/** What a report says of the rows: their file, and not what is in them. */
export const dataNote = ({ data }: PlayerInputs): string | null =>
  data === null ? null : `players.data: ${data.name}, ${data.rows} rows, SHA-256 ${data.sha256}`;
