import { CapbenchError } from '../errors.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { ComponentName, SystemScenario } from '../scenario/system-scenario.ts';
import { lookForOpenssl } from '../stack/edge-certificate.ts';
import { lookForEdge } from '../stack/edge-program.ts';
import { postgresFolder } from '../stack/postgres-build.ts';
import { lookForRedis } from '../stack/redis-program.ts';
import { folderOf, missingPackages, npmInstall } from '../supervision/installed-packages.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A program that a scenario's stack starts and that capbench does not have in itself, or optional packages that it loads. */
export interface NeededProgram {
  /** `PostgreSQL`, `Redis`, `nginx`, `haproxy`, `openssl`, or what a system calls its packages. */
  readonly name: string;
  /** Where it is; null: not here, or not one that a run could use. */
  readonly path: string | null;
  /** Null: not asked for. */
  readonly version: string | null;
  /** What brings it. */
  readonly bring: string;
}

/** Looks for programs with the finders of a run, and for each only once. */
export function programFinder(env: Environment) {
  const asked = new Map<string, Promise<NeededProgram>>();
  const look = (
    name: string,
    bring: string,
    find: () => Promise<{ readonly path: string; readonly version: string } | null>,
  ): Promise<NeededProgram> => {
    const known = asked.get(name);
    if (known !== undefined) return known;
    const found = find().then(
      (program) => ({ name, path: program?.path ?? null, version: program?.version ?? null, bring }),
      (error: unknown) => {
        if (!(error instanceof CapbenchError)) throw error;
        return { name, path: null, version: null, bring: error.hint ?? bring };
      },
    );
    asked.set(name, found);
    return found;
  };

  /** What the components of a scenario's stack need, and its packages. A program that is named wrongly counts as not here. */
  return async (
    components: readonly Pick<ComponentName, 'name'>[],
    { edge }: Pick<Scenario, 'edge'>,
    packages: SystemScenario['packages'],
  ): Promise<readonly NeededProgram[]> => {
    const has = (name: string): boolean => components.some((one) => one.name === name);
    const programs: NeededProgram[] = [];
    if (has('postgres')) {
      const bring = env.CAPBENCH_POSTGRES_BIN
        ? 'correct CAPBENCH_POSTGRES_BIN, or unset it'
        : 'install capbench with its optional dependencies, or set CAPBENCH_POSTGRES_BIN';
      programs.push({ name: 'PostgreSQL', path: postgresFolder(env), version: null, bring });
    }
    if (has('redis')) programs.push(await look('Redis', 'capbench setup redis', () => lookForRedis(env)));
    if (has('edge') && edge !== undefined) {
      const { program } = edge;
      programs.push(await look(program, `install the package ${program}`, () => lookForEdge(program, env)));
      if (edge.tls !== undefined)
        programs.push(await look('openssl', 'install the package openssl', () => lookForOpenssl(env)));
    }
    if (packages !== undefined) {
      const { name, wanted } = packages;
      const missing = missingPackages(wanted);
      const path = missing.length === 0 ? folderOf(wanted[0] ?? '') : null;
      programs.push({ name, path, version: null, bring: npmInstall(missing) });
    }
    return programs;
  };
}
