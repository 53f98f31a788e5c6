import { EXIT, type ExitCode } from '../errors.ts';
import { attemptText } from '../measurement/earlier-attempts.ts';
import { asBox } from '../measurement/emulated-tier.ts';
import type { Figures } from '../measurement/figures.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { growthOf } from '../measurement/readings.ts';
import { probeOf } from '../measurement/series.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type Bottleneck, bottleneckOf } from './bottleneck.ts';
import { type Box, boxesOf } from './boxes.ts';
import { type Conclusion, conclude, headlineOf } from './conclusion.ts';
import { disturbanceOf, proofOf } from './proof.ts';
import { deliveryNotes } from './rules/deliveries.ts';
import { type JudgedRule, relaxations } from './rules/rule.ts';
import { notChecked, rulesOf } from './rules/rules.ts';
import { type Ruling, type RulingState, rule } from './ruling.ts';

type VerdictOutcome = 'pass' | 'fail' | 'invalid';

export interface Verdict {
  readonly outcome: VerdictOutcome;
  readonly exitCode: ExitCode;
  /** One sentence: what the run has shown, and what it has not. */
  readonly headline: string;
  readonly rulings: readonly Ruling[];
  readonly rules: readonly JudgedRule[];
  /** Why there is no conclusion, and what to do; empty when there is one. */
  readonly invalidBecause: readonly string[];
  /** The breached rules: `load not sustained: ...`. */
  readonly breachedBecause: readonly string[];
  /** What the reader should know although it decides nothing: relaxed rules, a wall clock that was set. */
  readonly notes: readonly string[];
  readonly bottleneck: Bottleneck;
  /** Of each component with limits: whether it held the players. */
  readonly boxes: readonly Box[];
}

/** Pure: measurements, scenario and figures in, verdict out. */
export function judge(m: Measurements, s: Scenario, figures: Figures): Verdict {
  const rulings = s.budgets.map((budget) => rule(budget, figures, m, s.altered));
  const rules = rulesOf({ m, s, figures, rulings });
  const { state } = m.ending;
  const proof = proofOf(rules, rulings, disturbanceOf(m, figures, s));
  const concluded = conclude(rules, rulings, proof, {
    stopped: m.ending.state === 'stoppedEarly' ? stopped(m, m.ending.because) : null,
    invalidBecause: ended(m),
    ranOn: state === 'completed' || state === 'stoppedEarly',
  });
  const { invalidBecause, breachedBecause } = concluded;
  const exitCode = exitCodeOf(state, concluded);
  return {
    ...{ outcome: OUTCOMES[exitCode], exitCode },
    // Neither the number of another machine, nor how often it was tried, may be overlooked.
    headline: [
      headlineOf(exitCode, concluded, rules, proof),
      ...(m.tier === undefined ? [] : [asBox(m.tier)]),
      ...[attemptText(m.earlierAttempts)].filter((one) => one !== null),
    ].join('; '),
    ...{ rulings: concluded.rulings, rules, invalidBecause, breachedBecause },
    notes: [
      ...moduleErrors(m, s),
      ...(m.earlierAttempts ?? []).map(({ bundle, because }) => `no conclusion in ${bundle}: ${because}`),
      ...(m.remarks ?? []),
      ...unseenTraffic(m),
      ...deliveryNotes(figures),
      ...wrongFrames(figures, s),
      ...notChecked(rules),
      ...relaxations(rules),
      ...unreadBoundaries(m),
      ...concluded.notes,
    ],
    bottleneck: bottleneckOf(figures, rules, concluded),
    boxes: boxesOf(figures, s, rules, concluded),
  };
}

/** What the players of a reference world count, and log, of what its servers may not send. */
const WRONG_FRAMES = 'wrongFrames';

function wrongFrames({ player }: Figures, { traits: { playerCode } }: Scenario): readonly string[] {
  const total = player?.[WRONG_FRAMES]?.total ?? 0;
  if (total === 0 || playerCode !== null) return [];
  return [`${WRONG_FRAMES}: the first of each load worker are in words in logs/fleet-*.log of the bundle`];
}

/** Errors of the user's player module, which runs inside the load workers and can disturb them. */
const moduleErrors = ({ errors }: Measurements, { traits: { playerCode } }: Scenario): readonly string[] =>
  playerCode === null ? [] : errors.filter((text) => text.includes(playerCode));

/** Traffic that capbench did not see, or not all of: what was settled is then the module's own word. */
export const unseenTraffic = ({ absences = [] }: Pick<Measurements, 'absences'>): readonly string[] => {
  const reasons = absences.flatMap(({ of, because }) =>
    // The load has counted it all the same.
    of.startsWith('network.') && of !== 'network.kernel' ? [because] : [],
  );
  return [...new Set(reasons)].map((because) => `network traffic is not measured: ${because}`);
};

const OUTCOMES = {
  [EXIT.interrupted]: 'invalid',
  [EXIT.stackFailed]: 'invalid',
  [EXIT.dataLost]: 'fail',
  [EXIT.invalid]: 'invalid',
  [EXIT.breached]: 'fail',
  [EXIT.pass]: 'pass',
} as const;

/** The order of verdicts (README.md). */
function exitCodeOf(
  ending: Measurements['ending']['state'],
  { dataLost, invalidBecause, breached }: Conclusion,
): keyof typeof OUTCOMES {
  if (ending === 'interrupted') return EXIT.interrupted;
  if (ending === 'stackFailed') return EXIT.stackFailed;
  if (dataLost) return EXIT.dataLost;
  if (invalidBecause.length > 0) return EXIT.invalid;
  return breached ? EXIT.breached : EXIT.pass;
}

function stopped(m: Measurements, because: string): string {
  const after = m.measured?.to ?? m.phases.end - (m.phases.go ?? m.phases.end);
  return `load not sustained: stopped ${Math.round(after)} s after GO, because ${because}`;
}

/** Why an ending allows no conclusion. */
function ended(m: Measurements): string[] {
  switch (m.ending.state) {
    case 'interrupted':
      return [`the run was interrupted in the ${m.ending.phase} phase: run it again and let it end`];
    case 'stackFailed':
      return [`${m.ending.because}: ${m.ending.hint}`];
    default:
      return [];
  }
}

type RulingCounts = Readonly<Record<RulingState, number>>;

export function countRulings(rulings: readonly { readonly state: RulingState }[]): RulingCounts {
  const counts = { breached: 0, met: 0, contradicted: 0, unmeasured: 0, untestable: 0 };
  for (const { state } of rulings) counts[state] += 1;
  return counts;
}

/** What the verdict says about the budgets: counts, where the run allows a conclusion about them. */
export function budgetsLine({
  exitCode,
  rulings,
}: {
  readonly exitCode: number;
  readonly rulings: readonly { readonly state: RulingState }[];
}): string {
  if (exitCode === EXIT.interrupted) return 'no verdict on the budgets, because the run was interrupted';
  if (exitCode === EXIT.stackFailed) return 'no verdict on the budgets, because the run did not complete';
  return countsLine(countRulings(rulings));
}

/** `3 of 34 budgets breached, 149 not judged`, or how many were met. */
export function countsLine({ breached, met, contradicted, unmeasured, untestable }: RulingCounts): string {
  const [judged, open] = [breached + met, contradicted + unmeasured + untestable];
  const budgets = (count: number): string => (count === 1 ? '1 budget' : `${count} budgets`);
  if (judged + open === 0) return 'no budgets';
  if (judged === 0) return `none of ${budgets(open)} judged`;
  const decided =
    breached > 0 ? `${breached} of ${budgets(judged)} breached` : `${met} of ${budgets(judged)} met`;
  return open === 0 ? decided : `${decided}, ${open} not judged`;
}

/** These are reported by the workers, by the second in which they happened, and not read by a probe. */
const OWN = /^(?:load|generator|delivery)\./;
/** A smaller share is not noted. */
const LEAST_PERCENT = 1;

/** One note on the probes that were not read when the measure phase began or ended: how precise their counters are. */
function unreadBoundaries({
  series,
  measured,
}: Pick<Measurements, 'series' | 'measured'>): readonly string[] {
  if (measured === null) return [];
  const length = measured.to - measured.from;
  const unread = new Map<string, number>();
  for (const [name, one] of Object.entries(series)) {
    if (one.kind !== 'counter' || OWN.test(name)) continue;
    const seconds = growthOf(one, measured)?.unreadSeconds ?? 0;
    if ((100 * seconds) / length < LEAST_PERCENT) continue;
    const probe = probeOf(name) ?? name;
    unread.set(probe, Math.max(seconds, unread.get(probe) ?? 0));
  }
  if (unread.size === 0) return [];
  const most = Math.max(...unread.values());
  return [
    `not read when the measure phase began or ended: ${[...unread.keys()].toSorted().join(', ')}; the nearest readings are ${most.toFixed(1)} s away, so their counters over ${Number(length.toFixed(1))} s are known to ${((100 * most) / length).toFixed(1)}%`,
  ];
}
