import { countOf } from '../histogram.ts';
import type { Counts } from '../load/engine.ts';
import type { Figures } from '../measurement/figures.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { DEFAULT_RULES } from '../scenario/rules.ts';
import type { RuleLimits, Scenario } from '../scenario/scenario.ts';
import { OPERATIONS, type Operation } from '../scenario/workload.ts';

export type RuleState = 'held' | 'broken' | 'not-applicable';

/** What a broken rule means for the verdict. */
export type Consequence = 'invalid' | 'breached' | 'breached-if-healthy' | 'data-lost' | 'ending';

/** One rule of the run, as it was kept. */
export interface Rule {
  readonly id: string;
  readonly state: RuleState;
  readonly observed: number | string | null;
  readonly limit: number | string | null;
  /** The scenario set a limit other than the default. */
  readonly relaxed: boolean;
  /** What to do when it is broken. */
  readonly advice: string;
}

export interface JudgedRule extends Rule {
  readonly consequence: Consequence;
}

const REACHED_PERCENT = 99;
const AGREE_PERCENT = 1;

/** All rules of a run, in the order in which they are read. */
export function rulesOf(m: Measurements, s: Scenario, figures: Figures): readonly JudgedRule[] {
  return [
    runCompleted(m),
    ...OPERATIONS.map((op) => conservation(op, m)),
    ...OPERATIONS.map((op) => scheduleKept(op, m, s)),
    ccuReached(m, figures),
    ...OPERATIONS.map((op) => loadSustained(op, m, s, figures)),
    ...generatorHealthy(m, s.rules, figures),
    ...OPERATIONS.map((op) => answers(op, m)),
    probesGaveData(m),
    integrity(m),
    rowWritesAgree(m, figures),
  ];
}

/** Whether the generator, and not the system, could be what held the load back. */
export const generatorIsHealthy = (rules: readonly Rule[]): boolean =>
  !rules.some(({ id, state }) => id.startsWith('generator-') && state === 'broken');

const relaxed = (limits: RuleLimits, name: keyof RuleLimits): boolean => limits[name] !== DEFAULT_RULES[name];

const state = (applicable: boolean, held: boolean): RuleState =>
  applicable ? (held ? 'held' : 'broken') : 'not-applicable';

function runCompleted({ ending, measured }: Measurements): JudgedRule {
  const advice = {
    completed: 'nothing to do',
    stoppedEarly: 'lower the load (--scale), or give the system more room',
    interrupted: 'run it again and let it end',
    stackFailed: ending.state === 'stackFailed' ? ending.hint : '',
  }[ending.state];
  return {
    id: 'run-completed',
    state: state(true, ending.state === 'completed' && measured !== null),
    observed: measured === null && ending.state === 'completed' ? 'never measured' : ending.state,
    limit: 'completed',
    relaxed: false,
    advice,
    // The other endings speak for themselves.
    consequence: ending.state === 'completed' ? 'invalid' : 'ending',
  };
}

/** R4. Each outcome, and each latency, is counted on its own, so that a lost operation shows as a difference. */
function conservation(op: Operation, m: Measurements): JudgedRule {
  const { whole, measured, due } = m.operations[op];
  const missing = (c: Counts): number =>
    Math.abs(c.scheduled - c.ok - c.rejected - c.failed - c.timedOut - c.skipped - c.unfinished);
  const untimed = Math.abs(countOf(due) - measured.ok - measured.rejected);
  const observed = Math.max(missing(whole), missing(measured), untimed);
  return {
    id: `conservation.${op}`,
    state: state(true, observed === 0),
    observed,
    limit: 0,
    relaxed: false,
    advice:
      'the generator lost count of operations: this is a bug in capbench, please report it with the bundle',
    consequence: 'invalid',
  };
}

/**
 * R4: what came due is known beforehand, rate times duration, to one operation for each stream. A generator that
 * falls behind its own schedule without counting it shows here.
 */
function scheduleKept(op: Operation, m: Measurements, { load }: Scenario): JudgedRule {
  const seconds = m.measured === null ? 0 : m.measured.to - m.measured.from;
  const [rate, tolerance] = {
    intent: [load.intentsPerSecond, load.players] as const,
    monsterCommand: [load.monsterCommandsPerSecond, 2 * load.commandsPerPost] as const,
  }[op];
  const planned = Math.round(rate * seconds);
  const observed = m.operations[op].measured.scheduled;
  return {
    id: `schedule-kept.${op}`,
    // Stopped early, every worker ends its schedule at an instant of its own.
    state: state(
      m.measured !== null && m.ending.state === 'completed',
      Math.abs(observed - planned) <= tolerance && (observed > 0 || planned === 0),
    ),
    observed,
    limit: `${planned} to within ${tolerance}`,
    relaxed: false,
    advice:
      observed === 0
        ? 'nothing of this load came due: a longer --duration, or fewer commands to a post (load.commandsPerPost)'
        : 'the generator did not count all that was due: this is a bug in capbench, please report it with the bundle',
    consequence: 'invalid',
  };
}

function ccuReached(m: Measurements, { load }: Figures): JudgedRule {
  const limit = Math.ceil((REACHED_PERCENT / 100) * load.requestedCcu);
  return {
    id: 'ccu-reached',
    state: state(m.phases.ready !== null, load.peakCcu >= limit),
    observed: load.peakCcu,
    limit,
    relaxed: false,
    advice: 'see the connection errors; more world servers, more descriptors, or a smaller --scale',
    consequence: 'breached-if-healthy',
  };
}

function loadSustained(op: Operation, m: Measurements, s: Scenario, { load }: Figures): JudgedRule {
  const sent = load.sentPercent[op];
  return {
    id: `load-sustained.${op}`,
    state: state(m.measured !== null && sent !== null, sent !== null && sent >= s.rules.sentPercent),
    observed: sent,
    limit: s.rules.sentPercent,
    relaxed: relaxed(s.rules, 'sentPercent'),
    advice: 'the system did not take the load that was due: find what is saturated, or lower --scale',
    consequence: 'breached-if-healthy',
  };
}

function generatorHealthy(m: Measurements, limits: RuleLimits, { generator }: Figures): JudgedRule[] {
  const one = (id: string, observed: number | null, limit: number, name: keyof RuleLimits): JudgedRule => ({
    id,
    // R7: a generator that does not tell how it fared is not known to be healthy.
    state: state(m.measured !== null, observed !== null && observed <= limit),
    observed,
    limit,
    relaxed: relaxed(limits, name),
    advice:
      'the generator held the run back: more --workers, another machine for the load, or a smaller --scale',
    consequence: 'invalid',
  });
  return [
    one(
      'generator-loop-delay',
      generator.maxLoopDelayMs,
      limits.generatorLoopDelayMs,
      'generatorLoopDelayMs',
    ),
    one(
      'generator-utilisation',
      generator.maxUtilisationPercent,
      limits.generatorUtilisationPercent,
      'generatorUtilisationPercent',
    ),
  ];
}

/** R7: without a single acknowledgement of what was due there is nothing to conclude from. */
function answers(op: Operation, m: Measurements): JudgedRule {
  const { scheduled, ok, rejected } = m.operations[op].measured;
  return {
    id: `answers.${op}`,
    state: state(m.measured !== null && scheduled > 0, ok + rejected > 0),
    observed: ok + rejected,
    limit: 1,
    relaxed: false,
    advice:
      'nothing was acknowledged: see the logs of the world servers, and whether the target speaks the protocol',
    consequence: 'invalid',
  };
}

/** R7: a probe that was there and gave no data, or too little of it. */
function probesGaveData(m: Measurements): JudgedRule {
  const silent = m.probes.filter(({ samples, gaps }) => samples === 0 || gaps > samples);
  return {
    id: 'probes-gave-data',
    state: state(m.measured !== null, m.probes.length > 0 && silent.length === 0),
    observed:
      m.probes.length === 0
        ? 'no probe'
        : silent.length === 0
          ? `${m.probes.length} of ${m.probes.length}`
          : silent.map(({ name, lastError }) => `${name}: ${lastError ?? 'no data'}`).join('; '),
    limit: 'data in at least half of the seconds',
    relaxed: false,
    advice: 'what a probe did not see cannot be judged: see its error, and whether the machine is overloaded',
    consequence: 'invalid',
  };
}

/** Section D: nothing acknowledged is lost, nothing is applied twice or out of nothing. */
function integrity(m: Measurements): JudgedRule {
  const facts = m.integrity;
  const wrong = facts === null ? 0 : facts.lost + facts.phantom + facts.duplicated + facts.holes;
  const answered = OPERATIONS.reduce(
    (sum, op) => sum + m.operations[op].whole.ok + m.operations[op].whole.rejected,
    0,
  );
  // What was answered is acknowledged, and what is acknowledged is applied: else the check itself is broken.
  const consistent = facts === null || wrong > 0 || (facts.acked >= answered && facts.applied >= facts.acked);
  const checkable = m.stackKind === 'local' && m.measured !== null && m.ending.state === 'completed';
  const examples = facts === null || facts.examples.length === 0 ? '' : ` (${facts.examples.join('; ')})`;
  return {
    id: 'integrity',
    state: state(facts !== null || checkable, facts !== null && wrong === 0 && consistent),
    observed:
      facts === null
        ? 'unmeasured'
        : `${facts.lost} lost, ${facts.phantom} phantom, ${facts.duplicated} duplicated, ${facts.holes} holes${examples}${
            consistent ? '' : `; ${answered} answered, ${facts.acked} acknowledged, ${facts.applied} applied`
          }`,
    limit: '0 lost, 0 phantom, 0 duplicated, 0 holes',
    relaxed: false,
    advice:
      facts === null
        ? 'the rows were not read: see the errors of the run; for a target, name its database'
        : 'acknowledged operations are not in the rows as they were sent: acknowledge after the commit only',
    consequence: wrong > 0 ? 'data-lost' : 'invalid',
  };
}

function rowWritesAgree(m: Measurements, { integrity }: Figures): JudgedRule {
  const { rowWritesDisagreePercent: observed, rowWritesServers } = integrity;
  const nothing = rowWritesServers === 0 && (m.integrity?.acked ?? 0) > 0;
  return {
    id: 'row-writes-agree',
    state: state(m.integrity !== null, observed !== null && observed <= AGREE_PERCENT && !nothing),
    observed: nothing ? 'no row writes for acknowledged operations' : observed,
    limit: AGREE_PERCENT,
    relaxed: false,
    advice:
      'the servers and PostgreSQL count different row writes: one of the two does not measure what it says',
    consequence: 'invalid',
  };
}
