import { figureOf, type Plan } from './plan.ts';
import type { Scenario } from './scenario.ts';

/** What a scenario states besides its plan. Where the plan does not give these figures, they are taken. */
export type OwnFigures = Pick<Plan, 'load' | 'database'>;

/** The figures of a scenario's own load and PostgreSQL; settings only in a unit, or as a count. */
export function ownFigures({ load, postgres }: Pick<Scenario, 'load' | 'postgres'>): OwnFigures {
  const rate = Object.values(load.operations).reduce((sum, { perSecond }) => sum + perSecond, 0);
  const setting = (name: string, expects: string) => figureOf(postgres.settings[name] ?? '', expects);
  return {
    load: {
      players: figureOf(`${load.players} players`, 'connections'),
      operationsPerSecond: rate > 0 ? figureOf(`${rate} ops/s`, 'ops/s') : undefined,
    },
    database: {
      connections: setting('max_connections', 'connections'),
      workMem: setting('work_mem', 'bytes'),
      maxWalSize: setting('max_wal_size', 'bytes'),
      checkpointEvery: setting('checkpoint_timeout', 's'),
    },
  };
}
