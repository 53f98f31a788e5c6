import { type Percentiles, throughputOf } from '../measurement/figures.ts';
import { statedWindows } from '../measurement/stated-window.ts';
import { ofOperation } from '../scenario/operations.ts';
import { limitFacts, processTexts } from './facts.ts';
import { plain } from './plain-text.ts';
import { deliveryValues } from './player-facts.ts';
import { bytesText, cellText, numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';
import { closedText, sharesText } from './report-text.ts';
import { belowFact, cut, fact, grid, LONGEST_NAME, type Palette, shortLabel, wrap } from './terminal-text.ts';

/** The figures that decide: players, each operation, lost writes, the database, and what was busy. */
export function keyFigures(report: Report, paint: Palette, width: number): string[] {
  const { load, network, host, generator, bottleneck, target } = report;
  const { durationSeconds: seconds } = load;
  if (seconds === null) return [];
  return [
    ...operationTable(report, seconds, paint, width),
    ...keyFacts(
      {
        players: [
          `${numberText(load.peakCcu)} of ${numberText(load.requestedCcu)} requested`,
          ...(network.disconnects === 0 ? [] : [`${numberText(network.disconnects)} disconnects`]),
        ],
        'lost writes': [lostText(report)],
        deliveries: deliveryValues(report),
        database: databaseValues(report),
        host: [
          ...some(host.cpuPercent.mean, (busy) => [`CPU ${quantity(busy, '%')}`]),
          ...some(generator.cpuPercentOfHost, (busy) => [`generator ${quantity(busy, '%')}`]),
          ...(bottleneck.resource === 'none' ? ['bottleneck none'] : []),
        ],
        ...Object.fromEntries(
          Object.entries(target.process).map(([name, of]) => [`process ${name}`, processTexts(of)]),
        ),
        ...limitFacts(report),
        bottleneck: bottleneck.resource === 'none' ? [] : [bottleneckText(bottleneck, width - KEY_WIDTH - 2)],
      },
      width,
    ),
  ];
}

/** The resource, and of the evidence, whose first clause says most, as many clauses as the line has room for. */
function bottleneckText({ resource, evidence }: Report['bottleneck'], width: number): string {
  const whole = `${resource}: ${plain(evidence)}`;
  if (whole.length <= width) return whole;
  const end = Math.max(whole.lastIndexOf(', ', width), whole.lastIndexOf('; ', width));
  return end === -1 ? cut(whole, width) : whole.slice(0, end);
}

const KEY_WIDTH = 16;

/** A name and its values on a line, folded below the first value. */
const keyFacts = (facts: Readonly<Record<string, readonly string[]>>, width: number): string[] =>
  Object.entries(facts).flatMap(([name, values]) =>
    values.length === 0
      ? []
      : wrap(values.join('  '), width - KEY_WIDTH - 2).map(
          (line, i) => `${cut(i === 0 ? name : '', KEY_WIDTH).padEnd(KEY_WIDTH)}  ${line}`,
        ),
  );

/** A line for each operation: what was due, sent and answered, and the latencies from the scheduled time. */
function operationTable(report: Report, seconds: number, paint: Palette, width: number): string[] {
  const { load, latency, operations } = report;
  const active = operations.filter(({ id }) => ofOperation(load.operations, id).scheduled > 0);
  if (active.length === 0) return [];
  const anyIdle = active.some(({ id }) => ofOperation(load.operations, id).idle > 0);
  const rows = active.map((operation) => {
    const { due } = ofOperation(latency, operation.id);
    return [
      operation.label,
      numberText(ofOperation(load.operations, operation.id).scheduled / seconds),
      quantity(ofOperation(load.sentPercent, operation.id), '%'),
      numberText(throughputOf(report, operation)),
      quantity(ofOperation(load.rejectedPercent, operation.id), '%'),
      ...(anyIdle ? [quantity(ofOperation(load.idlePercent, operation.id), '%')] : []),
      ...[due.p50, due.p95, due.p99].map(cellText),
    ];
  });
  const titles = [
    'due/s',
    'sent',
    'answered/s',
    'rejected',
    ...(anyIdle ? ['idle'] : []),
    'p50, ms',
    'p95',
    'p99',
  ];
  const [head = '', ...lines] = grid([['', ...titles], ...rows], width);
  const shares = active.filter(({ id }) =>
    report.rules.some(
      ({ id: rule, state }) => state === 'broken' && [`rejected.${id}`, `answered.${id}`].includes(rule),
    ),
  );
  const closed = closedText(active);
  return [
    paint.dim(head),
    ...lines,
    ...(closed === null ? [] : wrap(closed, width).map(paint.dim)),
    ...keyFacts(Object.fromEntries(shares.map(({ id, label }) => [label, [sharesText(report, id)]])), width),
  ];
}

const lostText = ({ integrity: { lost, acked, lostInWindow, windows } }: Report): string => {
  if (lost === null) return 'not checked against the rows';
  const all = `${numberText(lost)} of ${numberText(acked)} acknowledged`;
  return windows === undefined
    ? all
    : `${all}; ${numberText(lostInWindow)} lost within ${statedWindows(windows)}`;
};

/** What the database did in a second, and how long a flush took. */
function databaseValues({ database, redis, throughput }: Report): string[] {
  const { rowWritesPerSecond, batchesPerSecond } = throughput;
  const batched = typeof batchesPerSecond === 'number';
  return [
    ...some(
      typeof rowWritesPerSecond === 'number' ? rowWritesPerSecond : database.rowWritesPerSecond,
      (perSecond) => [`${numberText(perSecond)} row writes/s`],
    ),
    ...(batched ? [`${numberText(batchesPerSecond)} batches/s`] : []),
    ...some(batched ? null : database.commitsPerSecond, (perSecond) => [
      `${numberText(perSecond)} transactions/s`,
    ]),
    ...some(database.queryMs?.p95, (p95) => [`flush p95 ${quantity(p95, 'ms')}`]),
    ...some(redis.operationsPerSecond, (perSecond) => [`Redis ${numberText(perSecond)} commands/s`]),
  ];
}

export function loadLines(report: Report): string[] {
  const { load, network } = report;
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
      const { id, label, due: when } = operation;
      const counts = ofOperation(load.operations, id);
      if (counts.scheduled === 0) return [];
      const rate = throughputOf(report, operation);
      const [due, outcomes] = countsTexts(counts, ofOperation(load.sentPercent, id));
      return [
        fact(
          cut(label, LONGEST_NAME),
          ...[quantity(rate, '/s answered'), due, ...(when === 'answer' ? ['after answers'] : [])],
        ),
        ...[outcomes, sharesText(report, id)].map(belowFact),
      ];
    }),
    ...some(network.bytesPerPlayerSecondIn, (bytesIn) => [
      fact(
        'network, a player',
        `${bytesText(bytesIn, true)} in`,
        `${bytesText(network.bytesPerPlayerSecondOut, true)} out`,
      ),
    ]),
    ...some(load.prepareSeconds, (seconds) => [
      fact('preparation', quantity(seconds, 's'), 'by the player module'),
    ]),
    connectingText(network),
    fact('lost writes', lostText(report)),
  ];
}

const OUTCOMES = ['ok', 'rejected', 'failed', 'timedOut', 'skipped', 'unfinished', 'idle'] as const;

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
  readonly loginMs?: Percentiles;
  readonly socketMs?: Percentiles;
  readonly disconnects: number | null;
  readonly handshakes?: number | null;
}): string =>
  fact(
    'connecting',
    `p95 ${quantity(network.connectMs.p95, 'ms')}`,
    ...(network.loginMs === undefined || network.loginMs.count === 0
      ? []
      : [
          `login p95 ${quantity(network.loginMs.p95, 'ms')}`,
          `socket p95 ${quantity(network.socketMs?.p95 ?? null, 'ms')}`,
        ]),
    `max ${quantity(network.connectMs.max, 'ms')}`,
    `${numberText(network.disconnects)} disconnects`,
    // Connections that are opened again and again are a part of the load.
    ...((network.handshakes ?? 0) === 0 ? [] : [`${numberText(network.handshakes ?? 0)} opened under load`]),
  );

export function latencyLines(
  { latency, operations }: Pick<Report, 'latency' | 'operations'>,
  paint: Palette,
  width: number,
): string[] {
  const row = (name: string, p: Percentiles): string[] => [
    name,
    ...[p.mean, p.min, p.p50, p.max, p.p90, p.p95, p.p99].map(cellText),
  ];
  const measured = operations.filter(({ id }) => {
    const { due } = ofOperation(latency, id);
    return due.count + due.unanswered > 0;
  });
  if (measured.length === 0) return ['nothing was measured'];
  const rows = measured.flatMap((operation) => {
    const { due, service, lag } = ofOperation(latency, operation.id);
    return [row(`${shortLabel(operation)}, due`, due), row('  service', service), row('  lag', lag)];
  });
  const titles = ['ms', 'avg', 'min', 'med', 'max', 'p90', 'p95', 'p99'];
  const [head = '', ...lines] = grid([titles, ...rows], width);
  return [
    paint.dim(head),
    ...lines.flatMap((line, i) => {
      const operation = i % 3 === 0 ? measured[i / 3] : undefined;
      const unanswered = operation === undefined ? 0 : ofOperation(latency, operation.id).due.unanswered;
      return unanswered === 0
        ? [line]
        : [line, paint.dim(`  ${numberText(unanswered)} unanswered, slower than all others`)];
    }),
  ];
}

/** The lines of a value; none where there is no value. */
const some = <T>(value: T | null | undefined, lines: (value: T) => readonly string[]): readonly string[] =>
  value === null || value === undefined ? [] : lines(value);
