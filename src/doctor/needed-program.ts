import type { Scenario } from '../scenario/scenario.ts';
import type { ComponentName } from '../scenario/system-scenario.ts';
import { findEdgeProgram } from '../stack/edge-program.ts';
import { postgresFolder } from '../stack/postgres-build.ts';
import { redisPath } from '../stack/redis-program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A program that a scenario's stack starts and that capbench does not have in itself. */
export interface NeededProgram {
  readonly name: 'PostgreSQL' | 'Redis' | 'nginx' | 'haproxy';
  /** Where it is; null: not here. */
  readonly path: string | null;
  /** What brings it. */
  readonly bring: string;
}

/** What the components of a scenario's stack need. A program that is named wrongly counts as not here. */
export async function neededPrograms(
  components: readonly Pick<ComponentName, 'name'>[],
  { edge }: Pick<Scenario, 'edge'>,
  env: Environment,
): Promise<readonly NeededProgram[]> {
  const has = (name: string): boolean => components.some((one) => one.name === name);
  const programs: NeededProgram[] = [];
  if (has('postgres')) {
    const bring = 'install capbench with its optional dependencies, or set CAPBENCH_POSTGRES_BIN';
    programs.push({ name: 'PostgreSQL', path: postgresFolder(env), bring });
  }
  if (has('redis')) {
    const path = await redisPath(env).catch(() => null);
    programs.push({ name: 'Redis', path, bring: 'capbench setup redis' });
  }
  if (has('edge') && edge !== undefined) {
    const path = await findEdgeProgram(edge.program, env);
    programs.push({ name: edge.program, path, bring: `install the package ${edge.program}` });
  }
  return programs;
}
