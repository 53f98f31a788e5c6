import { byReason, byState, limitText, NO_REASON, observedText, plain } from './format.ts';
import type { Report, ReportRuling } from './report.ts';
import { cut, type Palette, wrap } from './terminal-text.ts';

const WIDEST_TITLE = 56;
const NARROWEST_TITLE = 20;

interface Row {
  readonly ruling: ReportRuling;
  readonly id: string;
  readonly limit: string;
  readonly observed: string;
}

/** The table of budgets: breached, met, what does not decide; those without a figure are folded by reason. */
export function budgetLines({ rulings }: Pick<Report, 'rulings'>, paint: Palette, width: number): string[] {
  const [breached = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(rulings);
  // Without a figure there is nothing for a line of its own to say.
  const [observed, silent] = [
    unmeasured.filter((ruling) => ruling.observed !== null),
    unmeasured.filter((ruling) => ruling.observed === null),
  ];
  const shown = [...breached, ...met, ...together(contradicted), ...together(observed)];
  const { rows, widths, titleWidth } = layout(shown, width);
  const lines = rows.flatMap(({ ruling, id, limit, observed }, i) => {
    const line = [
      id.padEnd(widths[0]),
      titleOf(ruling, titleWidth).padEnd(titleWidth),
      limit.padEnd(widths[1]),
      observed.padStart(widths[2]),
    ].join('  ');
    const said = isDecided(ruling) ? ruling.reason : reasonAfter(ruling, rows[i + 1]?.ruling);
    const reason = said === null ? [] : wrap(plain(said), width - 6);
    return [`${mark(ruling, paint)} ${line}`, ...reason.map((text) => `  ${paint.dim(text)}`)];
  });
  const folded = (state: string, rulings: readonly ReportRuling[]): string[] =>
    byReason(rulings).map(([reason, count]) => {
      // A gate of the user's own has a name; of hundreds of claims the number says enough.
      const own = rulings.filter((one) => one.claim === null && (one.reason ?? NO_REASON) === reason);
      const names = own.length === 0 ? '' : ` (${own.map(({ id }) => id).join(', ')})`;
      return `${paint.dim('·')} ${cut(plain(`${count} ${state}${names}: ${reason}`), width - 6)}`;
    });
  const missing = [...folded('unmeasured', silent), ...folded('untestable', untestable)];
  return [...lines, ...(lines.length > 0 && missing.length > 0 ? [''] : []), ...missing];
}

interface Layout {
  readonly rows: readonly Row[];
  /** Of id, limit and observed. */
  readonly widths: readonly [number, number, number];
  readonly titleWidth: number;
}

/** Columns as wide as they need to be, and cut to shares of the line only when the titles would have no room. */
function layout(rulings: readonly ReportRuling[], width: number): Layout {
  const within = (...caps: readonly [number, number, number]): Layout => {
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
    // The indent, the mark and three gaps of two.
    const left = width - 12 - widths[0] - widths[1] - widths[2];
    return { rows, widths, titleWidth: Math.min(left, WIDEST_TITLE) };
  };
  const natural = within(24, 32, 28);
  if (natural.titleWidth >= NARROWEST_TITLE) return natural;
  const share = (part: number): number => Math.floor(width * part);
  return within(share(0.19), share(0.27), share(0.2));
}

const isDecided = ({ state }: ReportRuling): boolean => state === 'met' || state === 'breached';

/** Those with the same reason stand beside one another, so that it is said once, below the last of them. */
function together(rulings: readonly ReportRuling[]): readonly ReportRuling[] {
  return byReason(rulings).flatMap(([reason]) =>
    rulings.filter((ruling) => (ruling.reason ?? NO_REASON) === reason),
  );
}

function reasonAfter(ruling: ReportRuling, next: ReportRuling | undefined): string | null {
  return next?.state === ruling.state && next.reason === ruling.reason ? null : ruling.reason;
}

/** With its statistic; a remark in brackets goes first when there is no room. */
function titleOf({ title, stat }: ReportRuling, width: number): string {
  const named = stat === null || stat === 'mean' || title.includes(stat) ? '' : `, ${stat}`;
  const whole = plain(title) + named;
  return cut(whole.length <= width ? whole : plain(title).replace(/ \(.*\)$/, '') + named, width);
}

function mark({ state }: ReportRuling, paint: Palette): string {
  if (state === 'met') return paint.green('✓');
  if (state === 'breached') return paint.red('✗');
  return paint.yellow(state === 'contradicted' ? '≠' : '–');
}
