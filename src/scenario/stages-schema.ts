import { duration, list, map, quantity, word } from './leaf.ts';

/** Each keeps histograms of its own in every worker. */
const MOST_STAGES = 20;
const MOST_RATE = 100;
const MOST_CHURN = 100_000;

export const stageName = () =>
  word(/^[a-z][a-z0-9-]{0,31}$/, "a stage's name of lower-case letters, digits and '-'");

export const churnSchema = map({
  perSecond: quantity(0, MOST_CHURN, 'a rate per second').describe(
    'Players who leave, and join, in a second',
  ),
  away: duration('10ms', '1h').prefault('1s').describe('From leaving to joining again'),
});

const stage = map({
  name: stageName(),
  lasting: duration('100ms', '24h').describe('The sum is the measure phase'),
  rate: quantity(0, MOST_RATE, 'a multiple of the rates').default(1).describe('Times the rates of the load'),
  over: duration('0s', '24h').prefault('0s').describe('In which the rate goes there, linearly'),
  churn: churnSchema.optional(),
  reconnect: map({
    sharePercent: quantity(0.001, 100, 'a percentage').default(100).describe('Of the players'),
  })
    .optional()
    .describe('Cut off at the beginning of the stage'),
  sentPercent: quantity(0, 100, 'a percentage').optional().describe('Instead of that of the rules'),
});

export const stagesSchema = list(stage, MOST_STAGES, 'stages', 1);
