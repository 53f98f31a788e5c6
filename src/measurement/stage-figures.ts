import { mapOperations, ofOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { rateKey, type StageFigures } from './figures.ts';
import { latencyFigures, percentilesOf, sharesOf } from './latency-figures.ts';
import type { Measurements, StageFacts } from './measurements.ts';
import { gaugeOf, ratio, sumOf } from './readings.ts';
import { answeredOf } from './sent.ts';

/** The figures that each stage has of its own, at the paths of the whole run's. Of what was due in it. */
export const stageFigures = (m: Measurements, s: Scenario): readonly StageFigures[] =>
  m.stages.map((stage) => figuresOf(stage, m, s));

function figuresOf(stage: StageFacts, { series }: Measurements, s: Scenario): StageFigures {
  const { name, from, levelFrom, to, rateBefore, rate } = stage;
  const { disconnects, reconnects, left, joined, cut, fullStrength } = stage;
  const seconds = to - from;
  const measured = mapOperations(stage.operations, (facts) => facts.measured);
  const rates = s.operations.map(
    ({ id, plural }) => [rateKey(plural), ratio(answeredOf(ofOperation(measured, id)), seconds)] as const,
  );
  return {
    ...{ name, from, to, rateBefore, rate, ramped: levelFrom > from },
    load: {
      durationSeconds: seconds,
      operations: measured,
      presence: gaugeOf(series['load.connected'], { from, to }),
      ...sharesOf(measured),
    },
    latency: latencyFigures(stage.operations, s),
    throughput: {
      operationsPerSecond: ratio(sumOf(Object.values(measured).map(answeredOf)), seconds),
      ...Object.fromEntries(rates),
    },
    network: {
      connectMs: percentilesOf(stage.connect),
      reconnectMs: percentilesOf(stage.reconnect),
      ...{ disconnects, reconnects, left, joined, cut },
      fullStrengthMs: fullStrength === null ? null : fullStrength / 1e3,
    },
  };
}
