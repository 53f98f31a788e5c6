import type { Figures } from '../measurement/figures.ts';
import { generatorIsHealthy, type Rule } from './rules.ts';

export interface Bottleneck {
  readonly resource: 'server' | 'generator' | 'database' | 'host' | 'none';
  /** The figure that says so. */
  readonly evidence: string;
}

const HOST_BUSY_PERCENT = 95;
const CORE_BUSY_PERCENT = 90;
const WRITERS_BUSY = 0.9;

/** What was saturated, as far as the figures show it. On one host, a full host hides the rest. */
export function bottleneckOf(figures: Figures, rules: readonly Rule[]): Bottleneck {
  const host = figures.host.cpuPercent.mean;
  const core = figures.world.cpuPercentOfCore.mean;
  const database = figures.database.cpuPercentOfHost.mean;
  const generator = figures.generator.maxUtilisationPercent;
  if (host !== null && host > HOST_BUSY_PERCENT) {
    const shares = [
      ['PostgreSQL', database],
      ['world servers', serverShare(figures)],
      ['generator', figures.generator.cpuPercentOfHost],
      ['others', figures.host.otherCpuPercent],
    ] as const;
    const parts = shares.flatMap(([name, share]) => (share === null ? [] : [`${name} ${share.toFixed(0)}%`]));
    return {
      resource: 'host',
      evidence: [`all ${figures.host.cpus} cores ${host.toFixed(0)}% busy`, ...parts].join(', '),
    };
  }
  if (core !== null && core > CORE_BUSY_PERCENT) {
    return { resource: 'server', evidence: `the busiest world server used ${core.toFixed(0)}% of one core` };
  }
  const writers = writersBusy(figures);
  if (writers !== null && writers > WRITERS_BUSY) {
    return {
      resource: 'database',
      evidence: `the writers waited for PostgreSQL ${(100 * writers).toFixed(0)}% of the time, a flush took ${figures.database.queryMs.p50?.toFixed(1)} ms`,
    };
  }
  if (!generatorIsHealthy(rules)) {
    return {
      resource: 'generator',
      evidence: `event loop ${generator?.toFixed(0) ?? 'not known how'}% used, blocked for up to ${
        figures.generator.maxLoopDelayMs?.toFixed(0) ?? '?'
      } ms`,
    };
  }
  return { resource: 'none', evidence: 'nothing that was watched was saturated' };
}

/** The world servers' part of the host's CPU: their total is in percent of as many cores as there are servers. */
function serverShare({ world, host }: Figures): number | null {
  return world.cpuPercentTotal.mean === null || host.cpus === 0
    ? null
    : (world.cpuPercentTotal.mean * world.servers) / host.cpus;
}

/**
 * Share of the time in which a server's one writer had a flush in flight: by the utilisation law U = X S, with
 * X the flushes a second of one server and S the round trip of the median one.
 */
function writersBusy({ throughput, database, world }: Figures): number | null {
  const { p50 } = database.queryMs;
  if (throughput.batchesPerSecond === null || p50 === null || world.servers === 0) return null;
  return Math.min(1, ((throughput.batchesPerSecond / world.servers) * p50) / 1e3);
}
