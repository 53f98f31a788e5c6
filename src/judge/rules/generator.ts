import { DEFAULT_CALIBRATION, DEFAULT_RULES } from '../../scenario/rules.ts';
import { negligibleMs } from '../latency-budget.ts';
import { WHY } from '../unmeasured.ts';
import { type Evidence, type JudgedRule, type LimitName, limitOf, type Rule, stateOf } from './rule.ts';

/** Whether the generator, and not the system, may have limited the load. */
export const generatorIsHealthy = (rules: readonly Rule[]): boolean =>
  !rules.some(({ id, state }) => id.startsWith('generator-') && state === 'broken');

/** A generator that is late measures its own lateness. */
export function generatorRules(evidence: Evidence): readonly JudgedRule[] {
  const { m, s, figures } = evidence;
  const { generator } = figures;
  const reported = Object.keys(m.series).filter((name) => /^generator\.\d+\.loopDelayMs$/.test(name)).length;
  const allReported = m.workers > 0 && reported >= m.workers;
  const notWatched = NO_LOOP.get(m.engine);
  const one = (id: string, observed: number | null, name: LimitName): JudgedRule => {
    const limit = limitOf(s.rules, name);
    if (notWatched !== undefined) {
      return {
        id,
        state: 'not-applicable',
        observed: notWatched,
        ...limit,
        advice: ADVICE,
        consequence: 'disturbed',
      };
    }
    return {
      id,
      // A generator that reports nothing of itself is not known to be healthy.
      state: stateOf(m.measured !== null, observed !== null && observed <= limit.limit && allReported),
      observed,
      ...limit,
      advice: allReported
        ? adviceFor(s)
        : 'not every load worker reported its event loop: see the errors of the run',
      consequence: 'disturbed',
    };
  };
  return [
    one('generator-loop-delay', generator.maxLoopDelayMs, 'generatorLoopDelayMs'),
    one('generator-stalled', generator.stalledPercent, 'generatorStalledPercent'),
    one('generator-utilisation', generator.maxUtilisationPercent, 'generatorUtilisationPercent'),
    ownLagRule(evidence),
    calibrated(evidence),
    ...clockRules(evidence),
  ];
}

/** The limit of the lag that the generator may cause, in milliseconds. */
function lagLimitOf({ rules, budgets }: Evidence['s']) {
  const defaultLimit = DEFAULT_RULES.generatorLagMs ?? negligibleMs(budgets);
  const limit = rules.generatorLagMs ?? defaultLimit;
  return { limit, defaultLimit, relaxed: limit > defaultLimit };
}

/** Agents begin, and say when something happened, by clocks of their own. Without agents there is no such rule. */
function clockRules({ m, s }: Evidence): readonly JudgedRule[] {
  const [worst] = (m.agents ?? []).toSorted((a, b) => b.clockUncertaintyMs - a.clockUncertaintyMs);
  if (worst === undefined) return [];
  const limits = lagLimitOf(s);
  const observed = m.agents?.some(({ driftMs }) => driftMs === null) ? null : worst.clockUncertaintyMs;
  return [
    {
      ...{ id: 'agent-clocks', observed, ...limits, consequence: 'invalid' },
      state: stateOf(m.measured !== null, observed !== null && observed <= limits.limit),
      advice:
        observed === null
          ? 'the clock of an agent was not read after the run: let the run reach its end'
          : `what the agent ${worst.address} did may have been so much earlier or later than it says: a network with shorter round trips, or NTP on both machines`,
    },
  ];
}

/** Engines without an event loop to monitor, by their names in a bundle: they are judged by lag and calibration. */
const NO_LOOP: ReadonlyMap<string, string> = new Map([['k6', WHY.noEventLoop]]);

const ADVICE =
  'the generator limited the run: use more --workers, another machine for the load, or a smaller --scale';

const adviceFor = ({ traits: { playerCode } }: Evidence['s']): string =>
  playerCode !== null
    ? `the player module ${playerCode} runs in the generator: see whether it blocks the event loop; otherwise ${ADVICE}`
    : ADVICE;

/** p99 of the lag that the generator itself caused, over all operations. */
function ownLagRule({ m, s, figures }: Evidence): JudgedRule {
  const observed = figures.generator.ownLagP99Ms;
  const limits = lagLimitOf(s);
  return {
    id: 'generator-lag',
    // Without a sent operation there is no lag: the rules of the load report that.
    state: stateOf(m.measured !== null, observed !== null && observed <= limits.limit),
    observed,
    ...limits,
    advice:
      'the generator sent operations late: more --workers, fewer other processes, another machine for the load, or a smaller --scale',
    consequence: 'disturbed',
  };
}

/** The generator against servers that do nothing, at a higher rate than in the run. */
function calibrated({ m, s }: Evidence): JudgedRule {
  const { seconds, factor } = s.calibration;
  const facts = m.calibration;
  const { limit: percent, relaxed } = limitOf(s.rules, 'calibrationPercent');
  const words = (share: number, times: number): string => `${share}% answered at ${times}x the target`;
  const rule = {
    id: 'generator-calibration',
    limit: seconds === 0 ? 'left out' : words(percent, factor),
    defaultLimit: words(DEFAULT_RULES.calibrationPercent, DEFAULT_CALIBRATION.factor),
    relaxed: relaxed || seconds === 0 || factor < DEFAULT_CALIBRATION.factor,
    advice:
      'the generator does not reach this rate even against servers that do nothing: more --workers, another machine for the load, or a smaller --scale',
    consequence: 'disturbed',
  } as const;
  if (facts === null) {
    const absent = m.absences?.find(({ of }) => of === 'generator.calibration')?.because;
    if (seconds > 0 && absent !== undefined) return { ...rule, state: 'not-applicable', observed: absent };
    const missing = seconds > 0 && m.measured !== null;
    const observed = seconds === 0 ? 'left out' : 'not calibrated';
    return missing
      ? {
          ...rule,
          state: 'broken',
          observed,
          advice: 'see the errors of the run: without a calibration the generator may be the bottleneck',
        }
      : { ...rule, state: 'not-applicable', observed };
  }
  const rate = (value: number): string => `${Math.round(value).toLocaleString('en-US')}/s`;
  // What only follows from answers is due as fast as the players begin it.
  const target =
    facts.targetPerSecond > 0
      ? `the target is ${rate(facts.targetPerSecond)}`
      : `of players ${factor} times as fast, without a schedule`;
  return {
    ...rule,
    state: stateOf(true, facts.answeredPercent >= percent),
    observed: [
      `${Number(facts.answeredPercent.toFixed(2))}% of ${rate(facts.ratePerSecond)} (${target})`,
      ...(facts.utilisationPercent === null
        ? []
        : [`the busiest worker ${Math.round(facts.utilisationPercent)}% busy`]),
      ...(facts.ownLagP99Ms === null ? [] : [`own lag p99 ${Number(facts.ownLagP99Ms.toPrecision(3))} ms`]),
      ...(facts.of === undefined ? [] : [facts.of]),
    ].join(', '),
  };
}
