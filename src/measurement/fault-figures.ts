import type { FaultFigures } from './figures.ts';
import type { FaultFacts, Measurements, Series } from './measurements.ts';
import { increaseOf, secondsOf, sumOf, valuesAt } from './readings.ts';

/** A backlog is normal again at twice its size before the first fault, or at this share of the operations due in a second. */
const BACKLOG_TIMES = 2;
const BACKLOG_SHARE = 0.05;
const CONNECTED_SHARE = 0.99;
const NO_ROWS = { lost: null, phantom: null, duplicated: null, holes: null };
const UNANSWERED_SHARE = 0.05;
const UNANSWERED = ['failed', 'timedOut', 'skipped'] as const;
const SETTLED = ['ok', 'rejected', 'failed', 'timedOut', 'skipped'] as const;

export const faultFigures = (m: Measurements): readonly FaultFigures[] =>
  m.faults.map((fault, i) => figuresOf(m, fault, m.faults[i + 1]?.from ?? endOf(m)));

const idsOf = ({ operations }: Measurements): readonly string[] => Object.keys(operations);

/** The last second that the load reported. */
const endOf = (m: Measurements): number => m.series['load.connected']?.points.at(-1)?.[0] ?? 0;

function figuresOf(m: Measurements, fault: FaultFacts, until: number): FaultFigures {
  const { id, action, of, from, to, dropped, rows, forced, forGood, error } = fault;
  const recovery = recoveryOf(m, fault, Math.ceil(until));
  // If the next fault begins during this one, the effect cannot be attributed.
  const whose = to !== null && until < to ? null : until;
  const during = (name: string): number | null =>
    whose === null ? null : grown(m.series[name], from, whose);
  const over = (name: string): number | null => sumOf(idsOf(m).map((op) => during(`load.${op}.${name}`)));
  return {
    ...{ id, action, of, from },
    downSeconds: downSecondsOf(m, fault, recovery),
    ...recovery,
    failed: over('failed'),
    timedOut: over('timedOut'),
    skipped: over('skipped'),
    disconnects: during('load.disconnects'),
    reconnects: during('load.reconnects'),
    dropped,
    ...(rows ?? NO_ROWS),
    ...(forced === undefined ? {} : { forced }),
    ...(forGood === undefined ? {} : { forGood }),
    error,
  };
}

function downSecondsOf(m: Measurements, fault: FaultFacts, { recoverySeconds }: Recovery): number | null {
  const { from, to, ended = from, forGood = false } = fault;
  // Whatever started it again is not capbench's, and when it did is not known.
  if (forGood) return recoverySeconds === null ? endOf(m) - from : null;
  return to === null ? null : to - ended;
}

/** By how much a counter grew between two instants; growth is spread evenly over each second. */
function grown(series: Series | undefined, from: number, until: number): number | null {
  const [before = null, after = null] = valuesAt(series, [from, until]);
  return before === null || after === null ? null : Math.round(after - before);
}

type Recovery = Pick<FaultFigures, 'recoverySeconds' | 'backlogPeak' | 'backlogBefore'>;

function recoveryOf(m: Measurements, fault: FaultFacts, until: number): Recovery {
  const { from, to, ended = from, forGood = false } = fault;
  const before = Math.floor(from);
  const grid = secondsOf({ from: before, to: until });
  const backlog = backlogAt(m, grid);
  const connected = valuesAt(m.series['load.connected'], grid);
  const [backlogBefore = null] = backlog;
  // The backlog before the first fault is the norm, since the next fault may begin before the recovery ends.
  const normal = [Math.floor(m.faults[0]?.from ?? from)];
  const [normalBacklog = null] = backlogAt(m, normal);
  const [connectedBefore = null] = valuesAt(m.series['load.connected'], normal);
  const due = sumOf(
    idsOf(m).map((op) => increaseOf(m.series[`load.${op}.scheduled`], { from: before, to: until })),
  );
  const perSecond = due === null ? 0 : due / Math.max(1, until - before);
  const most = Math.max(BACKLOG_TIMES * (normalBacklog ?? 0), BACKLOG_SHARE * perSecond);
  const isAnswered = answeredAfter(m, grid, { since: to ?? from, normal, without: !forGood });
  const recovered = grid.findIndex((second, i) => {
    const [open, there] = [backlog[i] ?? null, connected[i] ?? null];
    if (to === null || second <= to || open === null || there === null || connectedBefore === null)
      return false;
    return open <= most && there >= CONNECTED_SHARE * connectedBefore && isAnswered(i);
  });
  const seen = backlog.slice(0, recovered === -1 ? undefined : recovered + 1).filter((one) => one !== null);
  return {
    recoverySeconds: recovered === -1 ? null : (grid[recovered] ?? before) - ended,
    backlogPeak: seen.length === 0 ? null : Math.max(...seen),
    backlogBefore,
  };
}

/**
 * Whether operations are answered in the second that follows one of the grid: a server that refuses connections leaves no
 * backlog. At the end of the load it is the last second in which any were due; `without` is the answer where none were.
 */
function answeredAfter(
  m: Measurements,
  grid: readonly number[],
  of: { readonly since: number; readonly normal: readonly number[]; readonly without: boolean },
): (second: number) => boolean {
  const sum = (names: readonly string[], instants: readonly number[]): readonly (number | null)[] => {
    const all = names.flatMap((name) =>
      idsOf(m).map((op) => valuesAt(m.series[`load.${op}.${name}`], instants)),
    );
    return instants.map((_, i) => sumOf(all.map((one) => one[i] ?? null)));
  };
  const [due, unanswered] = [sum(['scheduled'], grid), sum(UNANSWERED, grid)];
  const usual = (sum(UNANSWERED, of.normal)[0] ?? 0) / Math.max(1, sum(['scheduled'], of.normal)[0] ?? 0);
  const most = Math.max(BACKLOG_TIMES * usual, UNANSWERED_SHARE);
  const grown = (values: readonly (number | null)[], i: number): number =>
    (values[i] ?? 0) - (values[i - 1] ?? values[i] ?? 0);
  return (second) => {
    let i = Math.min(second + 1, grid.length - 1);
    while (i > 0 && (grid[i - 1] ?? 0) >= of.since && grown(due, i) <= 0) i -= 1;
    if (i <= 0 || (grid[i - 1] ?? 0) < of.since) return of.without;
    return grown(unanswered, i) <= most * grown(due, i);
  };
}

/** Operations that were due and not settled, at these instants. */
export function backlogAt(m: Measurements, grid: readonly number[]): (number | null)[] {
  const read = (name: string): (number | null)[][] =>
    idsOf(m).map((op) => valuesAt(m.series[`load.${op}.${name}`], grid));
  const scheduled = read('scheduled');
  const settled = SETTLED.flatMap(read);
  // The series begin with the first idle operation.
  const idle = read('idle');
  return grid.map((_, i) => {
    const due = sumOf(scheduled.map((one) => one[i] ?? null));
    const done = sumOf([...settled.map((one) => one[i] ?? null), ...idle.map((one) => one[i] ?? 0)]);
    return due === null || done === null ? null : Math.max(0, due - done);
  });
}
