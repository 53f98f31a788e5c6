import type { HistogramData } from '../histogram.ts';
import type { Counts } from '../load/engine.ts';
import type { Operation } from '../scenario/workload.ts';
import type { Figures, LatencyFigures, Percentiles } from './figures.ts';
import type { LatencyFacts, Measurements, Series } from './measurements.ts';
import { gaugeOf, ratio } from './readings.ts';
import { answeredOf } from './sent.ts';
import type { StageFacts } from './stage-facts.ts';

/** The figures that a stage has of its own, at the paths of the whole run's. Of what was due in it. */
export interface StageFigures {
  readonly name: string;
  /** Seconds after GO. */
  readonly from: number;
  readonly to: number;
  /** Times the rates of the load: at the beginning, and at its level. */
  readonly rateBefore: number;
  readonly rate: number;
  /** It took a while to get from the one to the other. */
  readonly ramped: boolean;
  readonly load: Pick<Figures['load'], 'durationSeconds' | 'operations' | 'presence'> & Shares;
  readonly latency: Figures['latency'];
  readonly throughput: Pick<
    Figures['throughput'],
    'operationsPerSecond' | 'intentsPerSecond' | 'monsterCommandsPerSecond'
  >;
  readonly network: {
    /** Of players who came back in this stage: TCP, upgrade and welcome of the attempt that succeeded. */
    readonly connectMs: Percentiles;
    /** Of the same: from the end of the connection, or of the time away, to the next welcome. */
    readonly reconnectMs: Percentiles;
    readonly disconnects: number;
    readonly reconnects: number;
    /** Players who left by themselves, and who joined again. */
    readonly left: number;
    readonly joined: number;
    /** Players who were cut off when the stage began. */
    readonly cut: number;
    /** From then until as many were connected as before; null when it never came to that, or none were cut. */
    readonly fullStrengthMs: number | null;
  };
}

type Shares = Pick<Figures['load'], 'sentPercent' | 'errorPercent' | 'unansweredPercent' | 'rejectedPercent'>;

/** How the figures of the whole run are made: they are handed in, so that a stage's are made the same way. */
export interface Reductions {
  readonly each: <T>(of: (op: Operation) => T) => Record<Operation, T>;
  readonly shares: (countsOf: (op: Operation) => Counts) => Shares;
  readonly latency: (op: Operation, facts: LatencyFacts) => LatencyFigures;
  readonly percentiles: (data: HistogramData) => Percentiles;
}

export const stageFigures = ({ stages, series }: Measurements, by: Reductions): readonly StageFigures[] =>
  stages.map((stage) => figuresOf(stage, series['load.connected'], by));

function figuresOf(
  stage: StageFacts,
  connected: Series | undefined,
  { each, shares, latency, percentiles }: Reductions,
): StageFigures {
  const { name, from, levelFrom, to, rateBefore, rate, operations } = stage;
  const { disconnects, reconnects, left, joined, cut, fullStrength } = stage;
  const seconds = to - from;
  const perSecond = each((op) => ratio(answeredOf(operations[op].measured), seconds));
  return {
    ...{ name, from, to, rateBefore, rate, ramped: levelFrom > from },
    load: {
      durationSeconds: seconds,
      operations: each((op) => operations[op].measured),
      presence: gaugeOf(connected, { from, to }),
      ...shares((op) => operations[op].measured),
    },
    latency: each((op) => latency(op, operations[op])),
    throughput: {
      operationsPerSecond: ratio(
        answeredOf(operations.intent.measured) + answeredOf(operations.monsterCommand.measured),
        seconds,
      ),
      intentsPerSecond: perSecond.intent,
      monsterCommandsPerSecond: perSecond.monsterCommand,
    },
    network: {
      connectMs: percentiles(stage.connect),
      reconnectMs: percentiles(stage.reconnect),
      ...{ disconnects, reconnects, left, joined, cut },
      fullStrengthMs: fullStrength === null ? null : fullStrength / 1e3,
    },
  };
}
