import { countOf, EMPTY_HISTOGRAM, meanOf, percentileOf } from '../histogram.ts';
import { mapOperations, ofOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { mostPlayers } from '../scenario/stages.ts';
import { timelineOf } from '../scenario/workload.ts';
import { backlogAt, faultFigures } from './fault-figures.ts';
import {
  type DeliveryFigures,
  type Figures,
  type PlayerFigures,
  rateKey,
  type StageFigures,
} from './figures.ts';
import { latencyFigures, percentilesOf, sharesOf } from './latency-figures.ts';
import { limitFigures } from './limit-figures.ts';
import type { DeliveryFacts, Measurements, PlayerFigureFacts, StageFacts } from './measurements.ts';
import { outageFigures } from './outage-figures.ts';
import { levelWindow, perPlayerFigures } from './per-player-figures.ts';
import { gaugeOf, measuredOf, paceOf, percentOf, ratio, sumOf, type Window } from './readings.ts';
import {
  databaseFigures,
  generatorFigures,
  hostFigures,
  redisFigures,
  serversOf,
  serverUse,
  targetFigures,
  throughputFigures,
  worldFigures,
} from './resource-figures.ts';
import { answeredOf } from './sent.ts';
import type { SystemFigures } from './system-figures.ts';

/** Reduces the facts of a run to the body of report.json, including the system's own figures. */
export function figuresOf(m: Measurements, s: Scenario, own?: SystemFigures): Figures {
  const general = generalFigures(m, s);
  const sections = Object.entries(own?.of(m, s) ?? {}).map(([section, part]) => [
    section,
    { ...Reflect.get(general, section), ...part },
  ]);
  return { ...general, ...Object.fromEntries(sections) };
}

function generalFigures(m: Measurements, s: Scenario): Figures {
  const throughput = throughputFigures(m, s);
  const faults = faultFigures(m);
  const measured = mapOperations(m.operations, (facts) => facts.measured);
  return {
    load: {
      requestedCcu: mostPlayers(s.load),
      peakCcu: m.peakCcu,
      presence: measuredOf(m, 'load').gauge('connected'),
      scale: s.scale,
      colocated: m.colocated,
      durationSeconds: m.measured === null ? null : m.measured.to - m.measured.from,
      prepareSeconds: m.prepareMs === undefined ? null : m.prepareMs / 1e3,
      operations: measured,
      wholeRun: mapOperations(m.operations, (facts) => facts.whole),
      ...sharesOf(measured),
    },
    latency: latencyFigures(m.operations, s),
    throughput,
    world: worldFigures(m, s),
    database: databaseFigures(m),
    redis: redisFigures(m),
    target: targetFigures(m, s),
    ...limitFigures(m, s),
    network: networkFigures(m, s),
    ...(m.deliveries === undefined ? {} : { delivery: deliveryFigures(m.deliveries) }),
    ...(m.player === undefined ? {} : { player: playerFigures(m, m.player) }),
    integrity: integrityFigures(m),
    ceilings: ceilingFigures(m),
    stages: m.stages.map((stage) => stageFigures(stage, m, s)),
    perPlayer: perPlayerFigures(m),
    faults,
    outage: outageFigures(m, faults),
    generator: generatorFigures(m, throughput.operationsPerSecond),
    host: hostFigures(m),
    stack: {
      kind: m.stackKind,
      documented: Object.fromEntries(m.settings.map((one) => [one.setting, one.documented])),
      applied: Object.fromEntries(m.settings.map((one) => [one.setting, one.applied])),
      reasons: Object.fromEntries(
        m.settings.flatMap((one) => (one.reason === null ? [] : [[one.setting, one.reason]])),
      ),
    },
  };
}

function deliveryFigures({ latency, lostOnes: _, ...counts }: DeliveryFacts): DeliveryFigures {
  const { delivered, lost } = counts;
  return {
    ...counts,
    lostPercent: percentOf(lost, delivered + lost),
    latencyMs: { ...percentilesOf(latency, lost), unanswered: lost },
  };
}

const playerFigures = (
  { measured }: Measurements,
  all: Readonly<Record<string, PlayerFigureFacts>>,
): PlayerFigures =>
  Object.fromEntries(
    Object.entries(all).map(([name, { unit, count, total, values }]) => {
      const at = (percent: number): number | null => (values === null ? null : percentileOf(values, percent));
      const has = values !== null && count > 0;
      const isCounter = values === null && count > 0;
      return [
        name,
        {
          unit,
          ...{ p50: at(50), p90: at(90), p95: at(95), p99: at(99) },
          ...{
            max: has ? values.max : null,
            mean: has ? meanOf(values) : null,
            min: has ? values.min : null,
          },
          count,
          total: isCounter ? total : null,
          perSecond: isCounter && measured !== null ? ratio(total, measured.to - measured.from) : null,
        },
      ];
    }),
  );

const ceilingFigures = ({ ceilings }: Measurements): Figures['ceilings'] => ({
  insertsPerSecond: ceilings?.insertsPerSecond ?? null,
  updatesPerSecondSingle: ceilings?.updatesPerSecondSingle ?? null,
  updatesPerSecondBatched: ceilings?.updatesPerSecondBatched ?? null,
  batchSpeedup: ratio(ceilings?.updatesPerSecondBatched ?? null, ceilings?.updatesPerSecondSingle ?? null),
  statement: ceilings?.statement ?? null,
});

function networkFigures(m: Measurements, s: Scenario): Figures['network'] {
  const { phases } = m;
  const { histogram } = m.connect;
  const { pace, gauge, increase } = measuredOf(m, 'load');
  const [bytesIn, bytesOut, players] = [pace('bytesIn'), pace('bytesOut'), gauge('connected').mean];
  const connecting = phases.ready === null || phases.connect === null ? null : phases.ready - phases.connect;
  const bytesPerSecond = sumOf([bytesIn, bytesOut, pace('commandBytes')]);
  return {
    bytesPerPlayerSecondIn: ratio(bytesIn, players),
    bytesPerPlayerSecondOut: ratio(bytesOut, players),
    bytesPerSecond,
    bytesPerServerSecond: ratio(bytesPerSecond, serversOf(m, s)),
    kernel: kernelFigures(m, players),
    connections: gauge('connections'),
    handshakes: increase('handshakes'),
    connectMs: percentilesOf(histogram, m.connect.failed),
    loginMs: percentilesOf(m.connect.login ?? EMPTY_HISTOGRAM),
    socketMs: percentilesOf(m.connect.socket ?? EMPTY_HISTOGRAM),
    connectsPerSecond: connecting === null ? null : ratio(countOf(histogram), connecting),
    disconnects: m.disconnects,
    reconnects: m.reconnects,
    reconnectMs: percentilesOf(m.reconnect),
  };
}

function kernelFigures({ kernelTraffic: facts }: Measurements, players: number | null) {
  const perPlayer = (way: 'in' | 'out'): number | null =>
    facts === undefined ? null : ratio(ratio(facts.kernel[way], facts.seconds), players);
  const disagree = (way: 'in' | 'out'): number | null =>
    facts === undefined ? null : disagreement(facts.load[way] - facts.unseen[way], facts.kernel[way]);
  const both = ({ in: received, out }: { readonly in: number; readonly out: number }): number =>
    received + out;
  return {
    bytesPerPlayerSecondIn: perPlayer('in'),
    bytesPerPlayerSecondOut: perPlayer('out'),
    disagreePercentIn: disagree('in'),
    disagreePercentOut: disagree('out'),
    seenPercent:
      facts === undefined ? null : percentOf(both(facts.load) - both(facts.unseen), both(facts.load)),
  };
}

function integrityFigures({ integrity, welcomes }: Measurements): Figures['integrity'] {
  const servers = integrity?.rowWritesServers ?? null;
  const postgres = integrity?.rowWritesPostgres ?? null;
  return {
    sent: integrity?.sent ?? null,
    acked: integrity?.acked ?? null,
    applied: integrity?.applied ?? null,
    lost: eitherWay(integrity?.lost, welcomes?.forgotten),
    phantom: eitherWay(integrity?.phantom, welcomes?.invented),
    duplicated: integrity?.duplicated ?? null,
    holes: integrity?.holes ?? null,
    saved: integrity?.saved ?? null,
    lostInWindow: integrity?.lostInWindow ?? null,
    ...(integrity?.windows === undefined ? {} : { windows: integrity.windows }),
    rowWritesServers: servers,
    rowWritesPostgres: postgres,
    rowWritesDisagreePercent: disagreement(servers, postgres),
  };
}

/** The rows and the welcomes may report the same numbers. Without the rows, welcomes without losses prove nothing. */
function eitherWay(rows: number | undefined, welcomes = 0): number | null {
  if (rows === undefined) return welcomes === 0 ? null : welcomes;
  return Math.max(rows, welcomes);
}

/** Two counts of 0 agree; 0 and any other count disagree by 100%. */
function disagreement(servers: number | null, postgres: number | null): number | null {
  if (servers === null || postgres === null) return null;
  // A count that fell (statistics are lost in a crash) cannot be compared.
  if (postgres <= 0) return servers === 0 && postgres === 0 ? 0 : 100;
  return (100 * Math.abs(servers - postgres)) / postgres;
}

/** Where stages have numbers of players, from the time at which the stage has its own. */
function presenceWindow(stage: StageFacts, s: Scenario): Window {
  const { from, to } = stage;
  const timed = (timelineOf(s.load).stages ?? []).find(({ name }) => name === stage.name);
  return timed?.players === undefined ? { from, to } : levelWindow(stage, timed.players.from / 1e6, to);
}

/** The figures that each stage has of its own, at the paths of the whole run's. Of what was due in it. */
function stageFigures(stage: StageFacts, m: Measurements, s: Scenario): StageFigures {
  const { name, from, levelFrom, to, rateBefore, rate } = stage;
  const { playersBefore = s.load.players, players = s.load.players } = stage;
  const { disconnects, reconnects, left, joined, cut, fullStrength } = stage;
  const seconds = to - from;
  const connected = m.series['load.connected'];
  const level = levelWindow(stage, levelFrom, to);
  const here = gaugeOf(connected, level).mean;
  const [bytesIn, bytesOut] = ['load.bytesIn', 'load.bytesOut'].map((series) =>
    paceOf(m.series[series], { from: levelFrom, to }),
  );
  const measured = mapOperations(stage.operations, (facts) => facts.measured);
  const rates = s.operations.map(
    ({ id, plural }) => [rateKey(plural), ratio(answeredOf(ofOperation(measured, id)), seconds)] as const,
  );
  return {
    ...{ name, from, to, rateBefore, rate, playersBefore, players },
    // With another number of players the level is theirs, too.
    ramped: levelFrom > from && (players === playersBefore || rate !== rateBefore),
    load: {
      durationSeconds: seconds,
      operations: measured,
      presence: gaugeOf(connected, presenceWindow(stage, s)),
      ...sharesOf(measured),
    },
    latency: latencyFigures(stage.operations, s),
    throughput: {
      operationsPerSecond: ratio(sumOf(Object.values(measured).map(answeredOf)), seconds),
      ...Object.fromEntries(rates),
    },
    backlog: backlogAt(m, [to])[0] ?? null,
    world: serverUse(m, level),
    network: {
      bytesPerPlayerSecondIn: ratio(bytesIn ?? null, here),
      bytesPerPlayerSecondOut: ratio(bytesOut ?? null, here),
      bytesPerSecond: sumOf([bytesIn ?? null, bytesOut ?? null]),
      connectMs: percentilesOf(stage.connect),
      reconnectMs: percentilesOf(stage.reconnect),
      ...{ disconnects, reconnects, left, joined, cut },
      fullStrengthMs: fullStrength === null ? null : fullStrength / 1e3,
    },
  };
}
