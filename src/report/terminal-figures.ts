import { type Percentiles, throughputOf } from '../measurement/figures.ts';
import { ofOperation } from '../scenario/operations.ts';
import {
  bytesText,
  calibrationText,
  cellText,
  engineText,
  numberText,
  plain,
  quantity,
  sharesText,
} from './format.ts';
import type { Report } from './report.ts';
import { fact, type Palette, shortLabel } from './terminal-text.ts';

const LATENCY_NAME_WIDTH = 18;

export function loadLines(report: Report): string[] {
  const { load, network, integrity } = report;
  const hosts = load.colocated ? 'generator and servers on one host' : 'generator on a host of its own';
  return [
    fact('players', `${numberText(load.peakCcu)} of ${numberText(load.requestedCcu)} requested`, hosts),
    fact(
      'connected',
      `${numberText(load.presence.mean)} on average`,
      `${numberText(load.presence.min)} at least`,
    ),
    fact('scale', numberText(load.scale)),
    fact('measure phase', quantity(load.durationSeconds, 's')),
    ...report.operations.flatMap((operation) => {
      const { id, label } = operation;
      const counts = ofOperation(load.operations, id);
      if (counts.scheduled === 0) return [];
      const rate = throughputOf(report, operation);
      const [due, outcomes] = countsTexts(counts, ofOperation(load.sentPercent, id));
      return [
        fact(label, quantity(rate, '/s answered').replace(' /s', '/s'), due),
        ...[outcomes, sharesText(report, id)].map((told) => fact('', told).replace(/^\.+:/, ' '.repeat(25))),
      ];
    }),
    fact(
      'network, a player',
      `${bytesText(network.bytesPerPlayerSecondIn, true)} in`,
      `${bytesText(network.bytesPerPlayerSecondOut, true)} out`,
    ),
    connectingText(network),
    fact(
      'acknowledged',
      integrity.lost === null
        ? 'not checked against the rows'
        : `${numberText(integrity.acked)}, of them ${numberText(integrity.lost)} lost`,
    ),
  ];
}

const OUTCOMES = ['ok', 'rejected', 'failed', 'timedOut', 'skipped', 'unfinished'] as const;

/** `2,000 due, 99% sent`, and `1,980 ok, 20 skipped`. */
export const countsTexts = (
  counts: Report['load']['operations'][string],
  sentPercent: number | null,
): readonly [due: string, outcomes: string] => [
  `${numberText(counts.scheduled)} due, ${quantity(sentPercent, '%')} sent`,
  OUTCOMES.filter((outcome) => outcome === 'ok' || counts[outcome] > 0)
    .map((outcome) => `${numberText(counts[outcome])} ${outcome === 'timedOut' ? 'timed out' : outcome}`)
    .join(', '),
];

export const connectingText = (network: {
  readonly connectMs: Percentiles;
  readonly disconnects: number | null;
}): string =>
  fact(
    'connecting',
    `p95 ${quantity(network.connectMs.p95, 'ms')}`,
    `max ${quantity(network.connectMs.max, 'ms')}`,
    `${numberText(network.disconnects)} disconnects`,
  );

export function latencyLines(
  { latency, operations }: Pick<Report, 'latency' | 'operations'>,
  paint: Palette,
): string[] {
  const columns = ['avg', 'min', 'med', 'max', 'p90', 'p95', 'p99'];
  const cell = (text: string): string => text.padStart(8);
  const head = paint.dim(`${'ms'.padEnd(LATENCY_NAME_WIDTH)}${columns.map(cell).join('')}`);
  const row = (name: string, p: Percentiles): string =>
    `${name.padEnd(LATENCY_NAME_WIDTH)}${[p.mean, p.min, p.p50, p.max, p.p90, p.p95, p.p99].map((value) => cell(cellText(value))).join('')}`;
  const rows = operations.flatMap((operation) => {
    const { due, service, lag } = ofOperation(latency, operation.id);
    if (due.count + due.unanswered === 0) return [];
    const unanswered =
      due.unanswered === 0
        ? []
        : [paint.dim(`  ${numberText(due.unanswered)} unanswered, slower than all others`)];
    return [
      row(`${shortLabel(operation)}, due`, due),
      ...unanswered,
      row('  service', service),
      row('  lag', lag),
    ];
  });
  return rows.length === 0 ? ['nothing was measured'] : [head, ...rows];
}

/** Lines of what there is; none where there is nothing. */
const some = <T>(value: T | null | undefined, lines: (value: T) => readonly string[]): readonly string[] =>
  value === null || value === undefined ? [] : lines(value);

export function databaseLines({ database, redis, throughput, ceilings }: Report): string[] {
  const { queryMs } = database;
  const own = (name: string): number | null => {
    const figure = throughput[name];
    return typeof figure === 'number' ? figure : null;
  };
  return [
    // Of servers that write in batches.
    ...some(throughput.batchesPerSecond, () => [
      fact(
        'batches',
        `${numberText(own('batchesPerSecond'))}/s`,
        `${numberText(own('operationsPerBatch'))} operations and ${numberText(own('rowsPerBatch'))} rows each`,
        `${quantity(own('flushedOnTimePercent'), '%')} flushed on time`,
      ),
      fact(
        'row writes',
        `${numberText(own('rowWritesPerSecond'))}/s`,
        `${numberText(own('coalescing'))} operations each`,
        `${quantity(database.hotUpdatePercent, '%')} HOT`,
      ),
    ]),
    ...some(queryMs, ({ p50, p95, p99 }) => [
      fact(
        'flush round trip',
        `p50 ${quantity(p50, 'ms')}`,
        `p95 ${quantity(p95, 'ms')}`,
        `p99 ${quantity(p99, 'ms')}`,
      ),
    ]),
    ...some(database.commitsPerSecond, (perSecond) => [
      fact(
        'transactions',
        `${numberText(perSecond)}/s`,
        `WAL ${bytesText(database.walBytesPerSecond, true)}`,
        `cache hits ${quantity(database.hitRatioPercent, '%')}`,
        `${numberText(database.connections.max)} connections`,
      ),
    ]),
    ...some(redis.operationsPerSecond, (perSecond) => [
      fact(
        'Redis',
        `${numberText(perSecond)} commands/s`,
        `${bytesText(redis.usedMemoryBytes.max)}`,
        `${quantity(redis.cpuPercentOfCore.mean, '%')} of a core`,
        `cache hits ${quantity(redis.hitRatioPercent, '%')}`,
        `${numberText(redis.evictedKeys)} evicted`,
        `${numberText(redis.connections.max)} connections`,
      ),
    ]),
    ...some(ceilings.updatesPerSecondBatched, () => [
      fact(
        'ceilings, rows/s',
        `insert ${numberText(ceilings.insertsPerSecond)}`,
        `update ${numberText(ceilings.updatesPerSecondSingle)}, batched ${numberText(ceilings.updatesPerSecondBatched)}`,
        `(${quantity(ceilings.batchSpeedup, 'x')})`,
      ),
    ]),
  ];
}

export function hostLines({ host, world, database, generator, bottleneck }: Report): string[] {
  return [
    fact(
      'host',
      `${plain(host.cpuModel)}, ${host.cpus} cores, ${bytesText(host.memoryBytes)}, node ${host.node}`,
    ),
    fact(
      'host CPU',
      quantity(host.cpuPercent.mean, '%'),
      `PostgreSQL ${quantity(database.cpuPercentOfHost.mean, '%')}`,
      `generator ${quantity(generator.cpuPercentOfHost, '%')}`,
      `others ${quantity(host.otherCpuPercent, '%')}`,
      `foreign ${quantity(host.foreignCpuPercent, '%')}`,
      `steal ${quantity(host.stealPercent, '%')}`,
    ),
    fact(
      'world servers',
      `${world.servers}, the busiest ${quantity(world.cpuPercentOfCore.mean, '%')} of a core`,
      `${bytesText(world.memoryTotalBytes.max)}`,
      `loop delay up to ${quantity(world.loopDelayMs.max, 'ms')}`,
    ),
    fact(
      'generator',
      `${plain(engineText(generator))}, ${numberText(generator.cpuCores)} cores`,
      `loop delay up to ${quantity(generator.maxLoopDelayMs, 'ms')}`,
      `lag p99 ${quantity(generator.lagP99Ms, 'ms')}, own ${quantity(generator.ownLagP99Ms, 'ms')}`,
    ),
    fact(
      'its cost',
      `${quantity(generator.cpuMicrosPerOperation, 'us')} of CPU an operation`,
      `${bytesText(generator.memoryBytesPerPlayer)} a player`,
    ),
    fact('generator ceiling', calibrationText(generator.calibration)),
    fact('bottleneck', bottleneck.resource, plain(bottleneck.evidence)),
  ];
}
