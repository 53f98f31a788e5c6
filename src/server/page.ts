import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The lines of `GET /metrics`: Prometheus text, in base units. */

export const counter = (name: string, value: number): string => line('counter', name, value);
export const gauge = (name: string, value: number): string => line('gauge', name, value);

const line = (type: 'counter' | 'gauge', name: string, value: number): string =>
  `# TYPE ${name} ${type}\n${name} ${value}\n`;

/** A counter of several kinds of one thing: `name{label="kind"} value`. */
export const counters = (name: string, label: string, values: Readonly<Record<string, number>>): string =>
  [
    `# TYPE ${name} counter\n`,
    ...Object.entries(values).map(([kind, value]) => `${name}{${label}="${kind}"} ${value}\n`),
  ].join('');

/** The lines that every server's page has about its process. */
export interface ProcessMetrics {
  /**
   * The loop delay is reset: each reading has the longest since the reading before.
   * @param connections of players
   */
  render(connections: number): string;
}

export function openProcessMetrics(): ProcessMetrics {
  const loopDelay = monitorEventLoopDelay({ resolution: 10 });
  loopDelay.enable();
  return {
    render(connections) {
      const loopDelaySeconds = loopDelay.max / 1e9;
      loopDelay.reset();
      const cpu = process.cpuUsage();
      return [
        counter('process_cpu_seconds_total', (cpu.user + cpu.system) / 1e6),
        gauge('process_resident_memory_bytes', process.memoryUsage.rss()),
        gauge('capbench_world_connections', connections),
        gauge('capbench_world_loop_delay_seconds', loopDelaySeconds),
      ].join('');
    },
  };
}
