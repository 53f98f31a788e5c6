import type { Measurements } from '../measurement/measurements.ts';
import { drawingsOf } from '../report/drawing.ts';
import { tiles as tilesOfReport, verdict as verdictOfReport } from '../report/html.ts';
import { breachedParts, breachedTitle, budgetParts, STATES, subject } from '../report/html-checks.ts';
import { list, type Row, row, safe, type Tile, table, tileRow } from '../report/markup.ts';
import { capital } from '../report/plain-text.ts';
import { NOTHING, numberText, quantity } from '../report/quantity.ts';
import type { Report, ReportRuling } from '../report/report.ts';
import { faultNote, scaleText } from '../report/report-text.ts';
import { byState, limitText, observedText, percentileText, titleText } from '../report/ruling-text.ts';
import { svgOf } from '../report/svg.ts';
import { ofOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { mostPlayers, playersIn } from '../scenario/stages.ts';
import { faultsOf, timelineOf } from '../scenario/workload.ts';
import { counted } from '../units.ts';
import type { SlotId } from './live-page.ts';
import { type LastSecond, lastSecondOf } from './so-far.ts';

/** HTML by the element that it goes to. */
export type LiveParts = Readonly<Partial<Record<SlotId, string>>>;

/** What is known of a run without its load. */
export interface RunShown {
  readonly scenario: Scenario;
  /** Which of several runs: `trial 2 of 5`; null: the only one. */
  readonly name: string | null;
  readonly engine: string;
  readonly phase: string;
  /** While they connect; null before. */
  readonly connecting: number | null;
}

const PHASES: Readonly<Record<string, string>> = {
  calibrate: 'Calibrating the generator',
  stack: 'Starting the stack',
  ceilings: 'Measuring the ceilings of the database',
  connect: 'Connecting the players',
  ramp: 'Ramp',
  'warm-up': 'Warm-up',
  measure: 'Measuring',
  drain: 'Draining',
  verify: 'Comparing the rows',
  close: 'Closing, and judging',
};

/** What an engine does not report while it runs, or not at all. */
const OF_ENGINE: Readonly<Record<string, readonly string[]>> = {
  k6: [
    'k6 does not report which connections are open, and its clock has whole milliseconds. A second is shown when its last answers are in.',
  ],
  autocannon: ['With autocannon, players are connected and send nothing.'],
};

const NOTES = [
  'Figures of a second are those of the charts in the report. Figures so far are of the whole seconds of the measure phase, by the time of the answer; the report counts what was due in it, whenever it was answered.',
  'Known only at the end: latency from sending, schedule lag, lost writes and deliveries, figures of a player module, and how faults were recovered from. So are the rules of the run, which decide whether there is a conclusion.',
];

/** The state, and what it needs no figures for. */
export function stateParts(
  { scenario, name, engine, phase, connecting }: RunShown,
  m: Measurements | null,
): LiveParts {
  const scale = scaleText({ altered: [...scenario.altered], load: { scale: scenario.scale } });
  const of = [scale, ...(name === null ? [] : [name])].join(', ');
  return {
    state: `<header>
<p class="name">${safe(scenario.name)} <span class="faint">${safe(of)}</span></p>
<h1>${safe(PHASES[phase] ?? capital(phase))}</h1>
<p class="headline">${safe(progressText(scenario, connecting, m))}</p>
<p class="faint">engine ${safe(engine)}${scenario.description === '' ? '' : `. ${safe(scenario.description)}`}</p>
</header>`,
    ending: '',
    notes: `<h2>What this page does not know</h2>${list([...(OF_ENGINE[engine] ?? []), ...NOTES])}`,
  };
}

/** Of the load, where it is; and of what comes before it, the players. */
function progressText(s: Scenario, connecting: number | null, m: Measurements | null): string {
  const wanted = numberText(mostPlayers(s.load));
  const last = m === null ? null : lastSecondOf(m).second;
  if (m === null || last === null) {
    return connecting === null
      ? `${wanted} players are to be connected.`
      : `${numberText(connecting)} of ${wanted} players connected.`;
  }
  const { measureStart, end } = timelineOf(s.load);
  const [from, to] = [measureStart / 1e6, end / 1e6];
  return m.measured === null
    ? `${numberText(last)} s after GO; the measure phase begins at ${numberText(from)} s and ends at ${numberText(to)} s.`
    : `${numberText(last)} s after GO; ${numberText(Math.min(last, to) - from)} of ${numberText(to - from)} s measured.`;
}

/** All that is known from the first second of the load on. */
export function loadParts(report: Report, m: Measurements, s: Scenario): LiveParts {
  const last = lastSecondOf(m);
  if (last.second === null) return {};
  return {
    tiles: tilesOf(report, last),
    operations: operationsPart(report, last),
    budgets: budgetsPart(report),
    charts: `<h2>Charts</h2>${drawingsOf(report, m).filter(isLive).map(svgOf).join('\n')}`,
    stages: stagesPart(report, s, last.second),
    faults: faultsPart(report, s, last.second),
  };
}

/** Distributions of the measure phase are drawn when it is over. */
const isLive = ({ name }: { readonly name: string }): boolean => name !== 'percentiles';

function tilesOf({ load, operations, rulings }: Report, last: LastSecond): string {
  const slowest = operations
    .map(({ id, label }) => ({ label, ...ofOperation(last.operations, id) }))
    .toSorted((a, b) => (b.p95 ?? -1) - (a.p95 ?? -1))[0];
  const unanswered = Object.values(load.wholeRun).reduce(
    (sum, { failed, timedOut, skipped }) => sum + failed + timedOut + skipped,
    0,
  );
  const [breached = [], met = []] = byState(rulings);
  const judged = breached.length + met.length;
  const all: readonly Tile[] = [
    ['Players', numberText(last.connected), `of ${numberText(load.requestedCcu)} requested`],
    [
      'Answered',
      quantity(last.answeredPerSecond, '/s'),
      `of ${quantity(last.duePerSecond, '/s')} due, in second ${numberText(last.second)}`,
    ],
    ...(slowest === undefined
      ? []
      : [
          [
            `${capital(slowest.label)} p95`,
            quantity(slowest.p95, 'ms'),
            `${operations.length > 1 ? 'the slowest; ' : ''}p99 ${quantity(slowest.p99, 'ms')}, in that second`,
          ] as const,
        ]),
    ['Not answered', numberText(unanswered), 'failed, timed out or skipped, since GO'],
    [
      'Budgets',
      judged === 0 ? NOTHING : breached.length === 0 ? `${met.length} of ${judged}` : String(breached.length),
      judged === 0
        ? 'none has a figure yet'
        : breached.length === 0
          ? 'met so far'
          : `of ${judged} breached so far`,
    ],
  ];
  return tileRow(all);
}

const STATISTICS = ['p50', 'p95', 'p99'] as const;

function operationsPart({ operations, latency, load }: Report, last: LastSecond): string {
  const rows = operations.map(({ id, label }) => {
    const second = ofOperation(last.operations, id);
    const { due } = ofOperation(latency, id);
    const { failed, timedOut, skipped } = ofOperation(load.wholeRun, id);
    return row([
      capital(label),
      ...[second.due, second.answered].map((rate) => quantity(rate, '/s')),
      ...STATISTICS.map((stat) => quantity(second[stat], 'ms')),
      ...STATISTICS.map((stat) => percentileText(due, stat)),
      ...[second.inFlight, failed, timedOut, skipped].map((n) => numberText(n)),
    ]);
  });
  const columns = [
    ...['', 'due', 'answered', ...STATISTICS],
    ...[...STATISTICS.map((stat) => `${stat} measured`), 'in flight', 'failed', 'timed out', 'skipped'],
  ];
  return `<h2>Operations</h2>${table(columns, rows, 'numbers')}<p class="note">Rates, latencies from the scheduled time and operations in flight of second ${numberText(last.second)}; measured: of the measure phase; failed, timed out and skipped: since GO.</p>`;
}

const STANDING = {
  ...STATES,
  met: `${STATES.met} so far`,
  breached: `${STATES.breached} so far`,
  unmeasured: '– no figure yet',
} as const;

function budgetsPart({ rulings }: Report): string {
  const [breached = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(rulings);
  const [never, open] = [unmeasured.filter(isNever), unmeasured.filter((one) => !isNever(one))];
  const shown = [...breached, ...met, ...open];
  const others = contradicted.length + never.length + untestable.length;
  if (shown.length + others === 0) return '';
  const rest =
    others === 0
      ? ''
      : `<p class="note">${counted(others, 'budget')} more cannot be judged in this run; the report says why.</p>`;
  return `<h2>Budgets as they stand</h2>${shown.length === 0 ? '' : table(['', '', 'Limit', 'So far'], shown.map(budgetRow), 'checks')}${rest}`;
}

const isNever = ({ reason }: ReportRuling): boolean => reason !== null;

const budgetRow = (ruling: ReportRuling): Row =>
  row(
    [
      STANDING[ruling.state],
      subject(titleText(ruling), ruling.id, ruling.reason),
      limitText(ruling),
      observedText(ruling),
    ],
    ruling.state,
  );

const stateAt = (from: number, to: number, now: number): string =>
  now <= from ? 'to come' : now < to ? 'now' : 'over';

function stagesPart({ stages: reached, operations }: Report, { load }: Scenario, now: number): string {
  const planned = timelineOf(load).stages ?? [];
  if (planned.length === 0) return '';
  const rows = planned.map(({ name, start, end, rate, players }) => {
    const [from, to] = [start / 1e6, end / 1e6];
    const facts = reached.find((stage) => stage.name === name);
    return row([
      name,
      stateAt(from, to, now),
      ...[from, to - from].map((value) => quantity(value, 's')),
      numberText(players?.at ?? playersIn({ players: undefined }, load)),
      `${numberText(rate)}x`,
      ...operations.map(({ id }) =>
        facts === undefined ? NOTHING : percentileText(ofOperation(facts.latency, id).due, 'p95'),
      ),
    ]);
  });
  const head = ['', '', 'from', 'for', 'players', 'rate', ...operations.map(({ label }) => `${label} p95`)];
  return `<h2>Stages</h2>${table(head, rows, 'numbers')}`;
}

function faultsPart({ faults }: Report, s: Scenario, now: number): string {
  const planned = faultsOf(s);
  if (planned.length === 0) return '';
  const rows = planned.map(({ id, action, of, at, lasting }) => {
    const from = at / 1e6;
    const facts = faults.find((fault) => fault.id === id);
    const state = facts === undefined ? (now <= from ? 'to come' : 'now') : 'over';
    return row([
      `${capital(action)} ${of}`,
      state,
      quantity(facts?.from ?? from, 's'),
      lasting === 0 ? NOTHING : quantity(lasting / 1e6, 's'),
      facts === undefined ? NOTHING : quantity(facts.downSeconds, 's'),
      facts === undefined ? '' : (faultNote(facts) ?? ''),
    ]);
  });
  return `<h2>Faults</h2>${table(['', '', 'at', 'for', 'down', ''], rows)}`;
}

/** A run that was judged: the head of its report, its budgets and its charts. */
export function judgedParts(report: Report, m: Measurements, s: Scenario, page: string): LiveParts {
  const breached = breachedParts(report);
  return {
    ...loadParts(report, m, s),
    state: verdictOfReport(report),
    tiles: tilesOfReport(report),
    ending: `<p>The report of this run: <code>${safe(page)}</code></p>`,
    budgets: `${breached.length === 0 ? '' : `<h2>${breachedTitle(report)}</h2>${breached.join('\n')}`}<h2>Budgets</h2>${budgetParts(report).join('\n')}`,
    charts: `<h2>Charts</h2>${drawingsOf(report, m).map(svgOf).join('\n')}`,
    notes: '',
  };
}

/** A run of several that has ended. */
export interface Ended {
  readonly name: string;
  readonly report: Pick<Report, 'outcome' | 'exitCode' | 'headline'>;
  readonly page: string;
}

const OUTCOMES = {
  pass: ['met', '✓ pass'],
  fail: ['breached', '✗ fail'],
  invalid: ['unmeasured', '– no conclusion'],
} as const;

export function earlierPart(ended: readonly Ended[]): string {
  if (ended.length === 0) return '';
  const rows = ended.map(({ name, report, page }, i) => {
    // An attempt that was made again left its folder to the next one.
    const isThere = !ended.slice(i + 1).some((later) => later.page === page);
    const [className, text] = OUTCOMES[report.outcome];
    return row(
      [`${text} (${report.exitCode})`, subject(capital(name), isThere ? page : '', null), report.headline],
      className,
    );
  });
  return `<h2>Over</h2>${table(['', '', ''], rows, 'checks')}`;
}

/** A command that ended without a verdict. */
export const failedPart = (because: string): string =>
  `<header class="invalid"><h1>Ended</h1><p class="headline">${safe(capital(because))}</p></header>`;
