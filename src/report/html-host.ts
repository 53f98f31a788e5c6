import { bytesText, calibrationText, engineText, numberText, quantity } from './format.ts';
import { row, safe, table } from './html-table.ts';
import type { Report } from './report.ts';

export function hostFacts({ host, generator, world, database, load }: Report): (readonly [string, string])[] {
  return [
    ['CPU', `${host.cpuModel}, ${host.cpus} cores`],
    ['Memory', `${bytesText(host.memoryBytes)}, ${quantity(host.memoryUsedPercent.max, '%')} used at most`],
    ['System', `${host.platform} ${host.arch}, kernel ${host.kernel}, node ${host.node}`],
    [
      'CPU in use',
      `${quantity(host.cpuPercent.mean, '%')} of all cores, steal ${quantity(host.stealPercent, '%')}`,
    ],
    [
      'of it',
      `PostgreSQL ${quantity(database.cpuPercentOfHost.mean, '%')}, generator ${quantity(generator.cpuPercentOfHost, '%')}, others ${quantity(host.otherCpuPercent, '%')}`,
    ],
    [
      'World servers',
      `${world.servers}; the busiest ${quantity(world.cpuPercentOfCore.mean, '%')} of one core; ${bytesText(world.memoryTotalBytes.max)} together`,
    ],
    [
      'Generator',
      `${engineText(generator)}, ${load.colocated ? 'on the same host as the servers' : 'on a host of its own'}`,
    ],
    [
      'Generator’s health',
      `loop blocked for ${quantity(generator.maxLoopDelayMs, 'ms')} at most, late ${quantity(generator.stalledPercent, '%')} of the time, busy ${quantity(generator.maxUtilisationPercent, '%')}`,
    ],
    [
      'Lag of sending',
      `p99 ${quantity(generator.lagP99Ms, 'ms')}; the generator’s own p99 ${quantity(generator.ownLagP99Ms, 'ms')}; held back by the servers ${quantity(generator.pushbackMeanMs, 'ms')} on average`,
    ],
    [
      'Its cost',
      `${quantity(generator.cpuMicrosPerOperation, 'us')} of CPU for each answered operation, ${bytesText(generator.memoryBytesPerPlayer)} for each player`,
    ],
    ['Its ceiling', calibrationText(generator.calibration)],
    [
      'Noise',
      `other processes ${quantity(host.foreignCpuPercent, '%')} of the CPU, throttled ${numberText(host.throttledPeriods)} periods, all waited for memory ${quantity(host.memoryPressurePercent, '%')} of the time, canary ${quantity(host.canaryDriftPercent, '%')} off, wall clock ${quantity(host.clockDriftMs, 'ms')} off`,
    ],
  ];
}

/** Who was busy, each by its own account: what the bottleneck was told from. */
export function resources({ bottleneck }: Report): string {
  const rows = bottleneck.resources.map((one) =>
    row([
      one.resource,
      `${quantity(one.utilisationPercent, '%')} of ${one.of}`,
      quantity(one.cpuPercentOfHost, '%'),
      quantity(one.waitedPercent, '%'),
      one.state,
    ]),
  );
  return `<h3>Bottleneck: ${safe(bottleneck.resource)}</h3><p>${safe(bottleneck.evidence)}</p>${table(
    ['', 'Utilisation', 'CPU of the host', 'Waited for a CPU', ''],
    rows,
  )}`;
}
