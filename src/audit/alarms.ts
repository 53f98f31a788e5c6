import type { Figure, Plan } from '../scenario/plan.ts';
import { exceeds, like, text } from './arithmetic.ts';
import type { Check, Found } from './check.ts';

type Alarm = NonNullable<Plan['alarms']>[number];

interface Level {
  readonly low: number;
  readonly high: number;
  readonly shown: string;
  /** Of the whole, which takes part. */
  readonly isPart: boolean;
}

/** A figure of an alarm; a percentage of the whole as an amount. */
function level(figure: Figure, of: Figure | undefined): Level {
  if (of === undefined || figure.base !== 'share' || of.base === 'share')
    return { low: figure.low, high: figure.high, shown: text(figure), isPart: false };
  const [low, high] = [figure.low * of.low, figure.high * of.high];
  return {
    low,
    high,
    isPart: true,
    shown: `${text(figure)} of ${text(of)} = ${like(of, low, high)}`,
  };
}

const thresholdOf = ({ above, below, of }: Alarm) => {
  const figure = above ?? below;
  return figure === undefined ? null : { figure, isAbove: above !== undefined, ...level(figure, of) };
};

function rule(
  all: readonly Alarm[],
  which: 'usual' | 'most',
  judge: (at: { isAbove: boolean; threshold: Level; value: Level }) => boolean,
  say: string,
): readonly Found[] {
  return all.flatMap((alarm) => {
    const threshold = thresholdOf(alarm);
    const figure = alarm[which];
    if (threshold === null || figure === undefined) return [];
    const value = level(figure, alarm.of);
    const { isAbove } = threshold;
    return {
      subject: alarm.name,
      holds: judge({ isAbove, threshold, value }),
      arithmetic: `rings ${isAbove ? 'above' : 'below'} ${threshold.shown}, ${say} ${value.shown}`,
      figures: [threshold.figure, figure, ...(threshold.isPart || value.isPart ? [alarm.of] : [])],
      disputes: [threshold.figure],
    };
  });
}

export const silentAlarm: Check = {
  id: 'alarm-always',
  title: 'An alarm does not ring at the planned load',
  needs: ['alarms[].above', 'alarms[].usual'],
  rule: ({ alarms = [] }) =>
    rule(
      alarms,
      'usual',
      ({ isAbove, threshold, value }) =>
        isAbove ? !exceeds(value.high, threshold.low) : !exceeds(threshold.high, value.low),
      'where the plan has',
    ),
};

export const possibleAlarm: Check = {
  id: 'alarm-never',
  title: 'An alarm rings before the value is reached that cannot be passed',
  needs: ['alarms[].above', 'alarms[].most'],
  rule: ({ alarms = [] }) =>
    rule(
      alarms,
      'most',
      ({ isAbove, threshold, value }) =>
        isAbove ? !exceeds(threshold.high, value.low) : !exceeds(value.high, threshold.low),
      'and nothing goes beyond',
    ),
};
