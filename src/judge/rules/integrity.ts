import type { Figures } from '../../measurement/figures.ts';
import type { FaultFacts, IntegrityFacts, Measurements } from '../../measurement/measurements.ts';
import { answeredOf } from '../../measurement/sent.ts';
import { statedWindows } from '../../measurement/stated-window.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { faultsOf } from '../../scenario/workload.ts';
import { isSilent } from '../unmeasured.ts';
import { type Evidence, fixed, type JudgedRule, stateOf, wasStartedAgain } from './rule.ts';

const AGREE_PERCENT = 1;

/** Whether the probes gave data, and whether the rows have what was acknowledged. */
export const integrityRules = (evidence: Evidence): readonly JudgedRule[] => [
  probesGaveData(evidence),
  ...metricsReadable(evidence.m),
  protocol(evidence),
  faultsInjected(evidence),
  integrity(evidence.m, evidence.s.traits),
  integrityProof(evidence.m),
  ...savesReported(evidence.m),
  rowWritesAgree(evidence.m, evidence.figures),
];

/** A probe must give data for most of the run. */
function probesGaveData({ m, s }: Evidence): JudgedRule {
  const names = new Set(m.probes.map(({ name }) => name));
  const missing = expectedProbes(m, s).filter((name) => !names.has(name));
  const silent = m.probes.filter(isSilent);
  return {
    id: 'probes-gave-data',
    state: stateOf(m.measured !== null, names.size > 0 && missing.length === 0 && silent.length === 0),
    observed:
      m.probes.length === 0
        ? 'no probe'
        : missing.length + silent.length === 0
          ? `${m.probes.length} of ${m.probes.length}`
          : [
              ...missing.map((name) => `${name}: no such probe`),
              ...silent.map(({ name, lastError }) => `${name}: ${lastError ?? 'no data'}`),
            ].join('; '),
    ...fixed('data in at least half of the seconds, also of the measure phase'),
    advice:
      'a probe has gaps, so its figures cannot be judged: see its error, and whether the machine is overloaded',
    consequence: 'disturbed',
  };
}

/** Unreadable lines of a metric that a budget names: its value is not known. Not applicable where no page was given. */
function metricsReadable({ unreadable = [], probesAsked = [] }: Measurements): JudgedRule[] {
  if (!probesAsked.some((name) => name.startsWith('metrics-'))) return [];
  const all = 'all lines of what budgets name';
  return [
    {
      id: 'metrics-readable',
      state: stateOf(true, unreadable.length === 0),
      observed:
        unreadable.length === 0 ? all : unreadable.map(({ of, because }) => `${of}: ${because}`).join('; '),
      ...fixed(all),
      advice: 'a line of a metric that a budget names is not valid Prometheus text: correct the page',
      consequence: 'invalid',
    },
  ];
}

/** The probes of a stack that capbench started; the number of a target's servers is not known. */
const expectedProbes = (m: Measurements, { traits }: Evidence['s']): readonly string[] => [
  'host',
  ...(m.stackKind === 'target' ? (m.probesAsked ?? []) : traits.probes),
];

/** Unexpected answers: the latency figures are unreliable. */
const protocol = ({ m, s: { traits } }: Evidence): JudgedRule => ({
  id: 'protocol',
  state: stateOf(m.phases.go !== null, m.strayAnswers === 0),
  observed: m.strayAnswers,
  ...fixed(0),
  advice:
    traits.playerCode !== null
      ? `the player module ${traits.playerCode} settled an operation twice, or one that it was not given: see the errors of the run; its latencies are unreliable`
      : 'the target sent unexpected answers, so the latency figures are unreliable: see the wire protocol in the README of its system',
  consequence: 'invalid',
});

/** A planned fault that did not happen, or after which a component did not answer again, proves nothing. */
function faultsInjected({ m, s }: Evidence): JudgedRule {
  const planned = faultsOf(s).length;
  const failed = m.faults.filter(({ to, error }) => to === null || error !== null);
  // The rows are read after each fault. Where that failed, the fault's effect on them is not known.
  const unread = m.faults.filter(
    ({ action, rows, error }) =>
      s.traits.keptIn !== null && action !== 'drop' && error === null && rows === null,
  );
  const made = new Set(m.faults.map(({ id }) => id)).size;
  const whole = made >= planned || m.ending.state !== 'completed';
  return {
    id: 'faults-injected',
    state: stateOf(planned > 0 && m.phases.go !== null, whole && failed.length + unread.length === 0),
    observed:
      planned === 0
        ? 'none was planned'
        : [
            `${made - failed.length} of ${planned}`,
            ...failed.map(({ id, error }) => `${id}: ${error ?? 'it never answered again'}`),
            ...unread.map(({ id }) => `${id}: the rows were not read after it`),
          ].join('; '),
    ...fixed('all that were planned'),
    advice: 'a fault did not happen as planned: see its error, and the log of the component',
    consequence: 'invalid',
  };
}

type Rows = Pick<NonNullable<FaultFacts['rows']>, 'lost' | 'phantom' | 'duplicated' | 'holes'>;
const wrongIn = (rows: Rows | null): number =>
  rows === null ? 0 : rows.lost + rows.phantom + rows.duplicated + rows.holes;
const rowsText = (rows: Rows | null): string =>
  `${rows?.lost} lost, ${rows?.phantom} phantom, ${rows?.duplicated} duplicated, ${rows?.holes} holes`;

/** Nothing acknowledged is lost, and nothing is applied twice or without having been sent. */
function integrity(m: Measurements, { keptIn }: Scenario['traits']): JudgedRule {
  const facts = m.integrity;
  const after = m.faults.filter(({ rows }) => wrongIn(rows) > 0);
  // The numbers in welcome messages prove a loss even where the rows were not read.
  const {
    forgotten,
    invented,
    examples: contradictions,
  } = m.welcomes ?? { forgotten: 0, invented: 0, examples: [] };
  const wrong = wrongIn(facts) + after.length + forgotten + invented;
  const answered = Object.values(m.operations).reduce((sum, { whole }) => sum + answeredOf(whole), 0);
  // Answered operations are acknowledged, and acknowledged ones are applied. Otherwise the check itself is wrong.
  const consistent = facts === null || wrong > 0 || (facts.acked >= answered && isWithin(facts));
  const isWhole = m.measured !== null && m.ending.state === 'completed';
  // A system that keeps no rows cannot be checked, so that a missing check does not fail the run.
  const checkable = m.stackKind === 'local' && keptIn !== null && isWhole;
  const found =
    facts === null
      ? 'unmeasured'
      : `${rowsText(facts)}${windowText(facts)}${listed(facts.examples)}${
          consistent ? '' : `; ${answered} answered, ${facts.acked} acknowledged, ${facts.applied} applied`
        }`;
  return {
    id: 'integrity',
    state: stateOf(facts !== null || checkable || wrong > 0, facts !== null && wrong === 0 && consistent),
    observed: [
      found,
      ...(forgotten + invented === 0
        ? []
        : [`by the welcomes ${forgotten} lost, ${invented} phantom${listed(contradictions)}`]),
      ...after.map(({ id, rows }) => `after ${id} ${rowsText(rows)}`),
    ].join('; '),
    ...fixed('0 lost, 0 phantom, 0 duplicated, 0 holes'),
    advice:
      facts === null && wrong === 0
        ? 'the rows were not read: see the errors of the run; for a target, name its database with --probe-postgres'
        : 'acknowledged operations are missing or wrong in the rows: acknowledge only after the commit, and send the last committed number in each welcome',
    consequence: wrong > 0 ? 'data-lost' : 'invalid',
  };
}

/** What an outage excuses need not be applied. */
const isWithin = ({ acked, applied, lostInWindow = 0 }: IntegrityFacts): boolean =>
  applied + lostInWindow >= acked;

const windowText = ({ lostInWindow, windows = [] }: IntegrityFacts): string =>
  lostInWindow === undefined ? '' : `, ${lostInWindow} lost within ${statedWindows(windows)}`;

const listed = (examples: readonly string[]): string =>
  examples.length === 0 ? '' : ` (${examples.join('; ')})`;

/** A note where the rows cannot prove everything. */
function integrityProof({ integrity: facts }: Measurements): JudgedRule {
  const open = facts?.open ?? 0;
  const unknown =
    facts !== null && !facts.hashed
      ? ['only count, sum and last number of each entity, which a lost operation may leave unchanged']
      : [];
  if (open > 0) {
    unknown.push(
      `bounds for ${open} of ${facts?.entities} entities: too much is unanswered to say what was applied`,
    );
  }
  return {
    id: 'integrity-proof',
    state: stateOf(facts !== null, unknown.length === 0),
    observed: unknown.length === 0 ? 'every number' : unknown.join('; '),
    ...fixed('every number'),
    advice:
      facts?.hashed === false
        ? 'add the column seq_hash to the rows: see the wire protocol in the README of its system'
        : 'a loss among the unanswered operations cannot be seen: find out why so many are unanswered',
    consequence: 'note',
  };
}

/** What is saved has to be reported, but for reports that broken connections lost. None where only one level is acknowledged. */
const LEAST_REPORTED_PERCENT = 75;

function savesReported({ integrity: facts }: Measurements): JudgedRule[] {
  const { saved, unreported } = facts ?? {};
  if (saved === undefined || unreported === undefined) return [];
  const all = saved + unreported;
  const percent = all === 0 ? null : (100 * saved) / all;
  return [
    {
      id: 'saves-reported',
      state: stateOf(percent !== null, (percent ?? 0) >= LEAST_REPORTED_PERCENT),
      observed: percent === null ? 'nothing was saved' : Number(percent.toPrecision(4)),
      ...fixed(LEAST_REPORTED_PERCENT),
      advice:
        'acknowledged operations are in the last level, and their players were not told: nothing proves them against an outage, so report each number once it is committed',
      consequence: 'breached',
      share: { carried: percent ?? 0, least: LEAST_REPORTED_PERCENT, of: 'saved operations' },
    },
  ];
}

function rowWritesAgree(m: Measurements, { integrity }: Figures): JudgedRule {
  const { rowWritesDisagreePercent: percent, rowWritesServers } = integrity;
  const nothing = rowWritesServers === 0 && (m.integrity?.acked ?? 0) > 0;
  // A server that was started again has lost its counters, and so does PostgreSQL when it recovers.
  const again = wasStartedAgain(m);
  return {
    id: 'row-writes-agree',
    state: stateOf(
      m.integrity?.rowWritesServers != null && !again,
      percent !== null && percent <= AGREE_PERCENT && !nothing,
    ),
    observed: again
      ? 'a component that was started again lost its counters'
      : nothing
        ? 'no row writes for acknowledged operations'
        : percent,
    ...fixed(AGREE_PERCENT),
    advice: 'the servers and PostgreSQL count different row writes: one of the two counters is wrong',
    consequence: 'invalid',
  };
}
