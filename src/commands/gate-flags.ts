import type { Arm } from '../compare/arm.ts';
import { type Gate, gateOf } from '../compare/gate.ts';
import { badInput } from '../errors.ts';
import { CONFIDENCE, GATE_METRIC, isGateMetric, THRESHOLD } from '../scenario/gate.ts';
import { percentOf } from './options.ts';

/** The options that stand for `gate:` of a scenario, as given. */
export interface GateFlags {
  readonly threshold?: string;
  readonly confidence?: string;
  readonly metric: readonly string[];
}

/** @throws CapbenchError (104) for a value out of range, or a metric that does not exist */
export function readGateFlags({ threshold, confidence, metric }: GateFlags): Partial<Gate> {
  const wrong = metric.find((name) => !isGateMetric(name));
  if (wrong !== undefined)
    throw badInput(
      `--metric: got ${JSON.stringify(wrong)}, expected ${GATE_METRIC}`,
      'such as --metric default --metric latencyP95',
    );
  return {
    ...(threshold === undefined
      ? {}
      : { thresholdPercent: percentOf('--threshold', threshold, ...THRESHOLD) }),
    ...(confidence === undefined
      ? {}
      : { confidencePercent: percentOf('--confidence', confidence, ...CONFIDENCE) }),
    ...(metric.length === 0 ? {} : { metrics: metric }),
  };
}

/** The gate of the head's scenario, with the options instead, and what a reader should know of it. */
export function chooseGate(
  base: Arm,
  head: Arm,
  flags: Partial<Gate>,
): { readonly gate: Gate; readonly notes: readonly string[] } {
  const gatesOf = ({ trials }: Arm): readonly Gate[] => trials.map((trial) => gateOf(trial.gate, flags));
  const [gate = gateOf(null, flags), ...others] = gatesOf(head);
  const isOther = (one: Gate): boolean => JSON.stringify(one) !== JSON.stringify(gate);
  const notes = [
    ...(others.some(isOther)
      ? ['trials of the head have different gates: that of the first one counts']
      : []),
    ...(gatesOf(base).some(isOther)
      ? ["the gate of the head's scenario is not that of the base's, and counts"]
      : []),
  ];
  return { gate, notes };
}
