import { plain } from './plain-text.ts';
import type { Report, ReportRuling } from './report.ts';
import { byReason, byState, limitText, NO_REASON, observedText, statText, titleText } from './ruling-text.ts';
import { cut, type Palette, wrap } from './terminal-text.ts';

const WIDEST_TITLE = 56;
const NARROWEST_TITLE = 20;

interface Row {
  readonly ruling: ReportRuling;
  readonly id: string;
  readonly limit: string;
  readonly observed: string;
}

type Ruled = Pick<Report, 'rulings'>;

/** The compact summary of a pass has a line for each of so many met budgets. */
const MOST_MET = 16;

/** All breached budgets, the met ones of a pass, and a line for each other state. */
export function compactBudgetLines(
  { rulings, outcome }: Pick<Report, 'rulings' | 'outcome'>,
  paint: Palette,
  width: number,
): string[] {
  const [breached = [], met = [], ...others] = byState(rulings);
  const shown = outcome === 'pass' ? met.slice(0, MOST_MET) : [];
  return [
    ...rowLines([...breached, ...shown], paint, width, (ruling, next) =>
      // Such a figure says by itself that operations were not answered.
      ruling.observed === null ? null : reasonOnce(ruling, next),
    ),
    ...metLine(met.slice(shown.length), shown.length > 0, paint, width),
    ...others.flatMap((of) => stateLine(of, paint, width)),
  ];
}

/** `✓ 12 met: all-connected, intents-sent and 10 more`, with as many names as the line has room for. */
function metLine(rulings: readonly ReportRuling[], isRest: boolean, paint: Palette, width: number): string[] {
  if (rulings.length === 0) return [];
  const names = rulings.map(({ id }) => plain(id));
  const start = `${rulings.length}${isRest ? ' more' : ''} met`;
  const room = width - 4 - start.length;
  const count = names.findLastIndex((_, i) => firstNames(names, i + 1).length <= room) + 1;
  return [`${paint.green('✓')} ${start}${count === 0 ? '' : `: ${firstNames(names, count)}`}`];
}

const firstNames = (names: readonly string[], count: number): string =>
  names.length <= count
    ? names.join(', ')
    : `${names.slice(0, count).join(', ')} and ${names.length - count} more`;

/** The budgets of one state are named where there are no more than this. */
const NAMED = 3;

/** `· 28 unmeasured: scale 0.05 (27 of them)`, or the number of reasons where none of them applies to half. */
function stateLine(rulings: readonly ReportRuling[], paint: Palette, width: number): string[] {
  const [one] = rulings;
  if (one === undefined) return [];
  const own = rulings.filter(({ claim }) => claim === null).map(({ id }) => id);
  const names = own.length === 0 || own.length > NAMED ? '' : ` (${own.join(', ')})`;
  const reasons = byReason(rulings);
  const [[reason, times] = [NO_REASON, 0]] = reasons;
  const why =
    times === rulings.length
      ? reason
      : 2 * times >= rulings.length
        ? `${reason} (${times} of them)`
        : `${reasons.length} reasons, listed with --full`;
  const text = plain(`${rulings.length} ${one.state}${names}: ${why}`);
  return [`${paint.dim('·')} ${cut(text, width - 2)}`];
}

/** Every budget: breached, met, then those that do not decide; those without a figure are counted by their reason. */
export function fullBudgetLines({ rulings }: Ruled, paint: Palette, width: number): string[] {
  const [breached = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(rulings);
  const observed = unmeasured.filter((ruling) => ruling.observed !== null);
  const silent = unmeasured.filter((ruling) => ruling.observed === null);
  const shown = [...breached, ...met, ...together(contradicted), ...together(observed)];
  const lines = rowLines(shown, paint, width, (ruling, next) =>
    isDecided(ruling) ? ruling.reason : reasonOnce(ruling, next),
  );
  const folded = (state: string, rulings: readonly ReportRuling[]): string[] =>
    byReason(rulings).flatMap(([reason, count]) => {
      // The user's own budgets are named; hundreds of claims are only counted.
      const own = rulings.filter((one) => one.claim === null && (one.reason ?? NO_REASON) === reason);
      const names = own.length === 0 ? '' : ` (${own.map(({ id }) => id).join(', ')})`;
      return wrap(plain(`${count} ${state}${names}: ${reason}`), width - 2).map((line, i) =>
        i === 0 ? `${paint.dim('·')} ${line}` : `  ${line}`,
      );
    });
  const missing = [...folded('unmeasured', silent), ...folded('untestable', untestable)];
  return [...lines, ...(lines.length > 0 && missing.length > 0 ? [''] : []), ...missing];
}

/** A line for each budget, and below it its reason where `reasonOf` gives one. */
function rowLines(
  rulings: readonly ReportRuling[],
  paint: Palette,
  width: number,
  reasonOf: (ruling: ReportRuling, next: ReportRuling | undefined) => string | null,
): string[] {
  const { rows, widths, titleWidth } = layout(rulings, width);
  return rows.flatMap(({ ruling, id, limit, observed }, i) => {
    const line = [
      id.padEnd(widths[0]),
      titleOf(ruling, titleWidth).padEnd(titleWidth),
      limit.padEnd(widths[1]),
      observed.padStart(widths[2]),
    ].join('  ');
    const reason = reasonOf(ruling, rows[i + 1]?.ruling);
    const below = reason === null ? [] : wrap(plain(reason), width - 2);
    return [`${mark(ruling, paint)} ${line}`, ...below.map((text) => `  ${paint.dim(text)}`)];
  });
}

/** Columns as wide as their texts; cut to shares of the line only where the titles would have no room. */
function layout(rulings: readonly ReportRuling[], width: number) {
  const within = (...caps: readonly [number, number, number]) => {
    const rows = rulings.map((ruling) => ({
      ruling,
      id: cut(plain(ruling.id), caps[0]),
      limit: cut(plain(limitText(ruling)), caps[1]),
      observed: cut(plain(observedText(ruling)), caps[2]),
    }));
    const widest = (of: (row: Row) => string): number =>
      rows.reduce((most, row) => Math.max(most, of(row).length), 0);
    const widths = [
      widest(({ id }) => id),
      widest(({ limit }) => limit),
      widest(({ observed }) => observed),
    ] as const;
    // The mark and its space, and three gaps of two.
    const left = width - 8 - widths[0] - widths[1] - widths[2];
    const longest = rows.reduce((most, { ruling }) => Math.max(most, titleText(ruling).length), 0);
    return { rows, widths, titleWidth: Math.min(left, longest, WIDEST_TITLE) };
  };
  const natural = within(24, 32, 28);
  const fits =
    natural.titleWidth >= NARROWEST_TITLE ||
    rulings.every((one) => titleText(one).length <= natural.titleWidth);
  if (fits) return natural;
  const share = (part: number): number => Math.floor(width * part);
  return within(share(0.19), share(0.27), share(0.2));
}

/** The reason of neighbours that share it, below the last of them. */
const reasonOnce = (ruling: ReportRuling, next: ReportRuling | undefined): string | null =>
  next?.state === ruling.state && next.reason === ruling.reason ? null : ruling.reason;

const isDecided = ({ state }: ReportRuling): boolean => state === 'met' || state === 'breached';

/** Those with the same reason stand beside one another, so that it is shown once, below the last of them. */
function together(rulings: readonly ReportRuling[]): readonly ReportRuling[] {
  return byReason(rulings).flatMap(([reason]) =>
    rulings.filter((ruling) => (ruling.reason ?? NO_REASON) === reason),
  );
}

/** With its statistic, which is kept when there is no room; a remark in brackets is left out first. */
function titleOf(ruling: ReportRuling, width: number): string {
  const whole = titleText(ruling);
  if (whole.length <= width) return whole;
  const stat = statText(ruling);
  return cut(cut(plain(ruling.title).replace(/ \(.*\)$/, ''), width - stat.length) + stat, width);
}

function mark({ state }: ReportRuling, paint: Palette): string {
  if (state === 'met') return paint.green('✓');
  if (state === 'breached') return paint.red('✗');
  return paint.yellow(state === 'contradicted' ? '≠' : '–');
}
